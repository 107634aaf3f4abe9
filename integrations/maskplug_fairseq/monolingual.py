"""Rows of text, masked in batches: predicted in place, or restored by a decoder."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from maskplug import Masked, Ragged, Vocabulary
from maskplug.arrays import IntArray
from maskplug.collate import pad
from maskplug_fairseq.dataset import MaskedDataset, shifted, split_moments
from maskplug_fairseq.rows import Rows


class MaskedRowsDataset(MaskedDataset):
    """Masks rows of text, and makes batches of what becomes of them.

    Args:
        dataset: the rows.
        vocab: their vocabulary.
        options: further arguments of ``MaskedDataset``.
    """

    def __init__(self, dataset: Rows, vocab: Vocabulary, **options: Any) -> None:
        super().__init__(dataset, **options)
        self.vocab = vocab

    def collater(self, samples: list[dict[str, Any]]) -> dict[str, Any]:
        """One batch of masked rows, as fairseq's criteria want it; empty for no samples."""
        if not samples:
            return {}
        items, moments = split_moments(samples)
        ids = np.array([item["id"] for item in items], np.int64)
        rows = [item["source"] for item in items]
        lines = [item["lines"] for item in items]
        masked = self.mask(rows, self.dataset.keys(ids), moments, self.vocab, lines)
        return {"nsentences": len(items), **self.batch(ids, masked)}

    @abstractmethod
    def batch(self, ids: IntArray, masked: Masked) -> dict[str, Any]:
        """The fields of a batch."""

    def padded(self, rows: Ragged) -> torch.Tensor:
        """Rows in a rectangle, padded on the right: int64."""
        assert self.vocab.pad_id is not None  # every dictionary of fairseq has one
        return torch.from_numpy(pad(rows, self.vocab.pad_id))


class MaskedLMDataset(MaskedRowsDataset):
    """Masked tokens are predicted in place; ``target`` is padding wherever nothing is."""

    def batch(self, ids: IntArray, masked: Masked) -> dict[str, Any]:
        """The fields that the criterion ``masked_lm`` reads."""
        assert masked.labels is not None  # the task has made sure of it
        labels = np.array(masked.labels.values)
        labels[labels < 0] = self.vocab.pad_id
        lengths = torch.tensor(masked.inputs.lengths)
        return {
            "id": torch.from_numpy(ids),
            "ntokens": int(lengths.sum()),
            "net_input": {"src_tokens": self.padded(masked.inputs), "src_lengths": lengths},
            "target": self.padded(Ragged(labels, masked.labels.offsets)),
        }


class DenoisingDataset(MaskedRowsDataset):
    """A decoder generates the strategy's targets from the masked rows, longest source first.

    Args:
        dataset, vocab, options: see ``MaskedRowsDataset``.
        heads: for each text of ``dataset``, the id that the decoder reads first.
    """

    def __init__(
        self, dataset: Rows, vocab: Vocabulary, heads: Mapping[str, int], **options: Any
    ) -> None:
        super().__init__(dataset, vocab, **options)
        self.heads = np.array([heads[name] for name in dataset.names], np.int64)

    def batch(self, ids: IntArray, masked: Masked) -> dict[str, Any]:
        """The fields of a text-to-text batch, and ``heads``: what the decoder read first."""
        assert masked.targets is not None  # the task has made sure of it
        order = np.argsort(-masked.inputs.lengths, kind="stable")
        inputs, targets = masked.inputs.take(order), masked.targets.take(order)
        heads = self.heads[self.dataset.place(ids[order])[0]]
        return {
            "id": torch.from_numpy(ids[order]),
            "ntokens": len(targets.values),
            "net_input": {
                "src_tokens": self.padded(inputs),
                "src_lengths": torch.tensor(inputs.lengths),
                "prev_output_tokens": self.padded(shifted(targets, heads)),
            },
            "target": self.padded(targets),
            "heads": torch.from_numpy(heads),
        }
