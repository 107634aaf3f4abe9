"""Rows of text, masked in batches: predicted in place, or restored by a decoder."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from maskplug import Masked, Ragged, TokenBatch, Vocabulary
from maskplug.collate import pad
from maskplug.types import BoolArray, IntArray
from maskplug_fairseq.dataset import MaskedDataset, shifted
from maskplug_fairseq.epoch import Sample, TimedBatch
from maskplug_fairseq.loaded import Loaded
from maskplug_fairseq.rows import Rows

Indices = Sequence[int | Sample] | TimedBatch


class MaskedRowsDataset(MaskedDataset):
    """Masks rows of text, and makes batches of what becomes of them.

    Args:
        dataset: the rows.
        vocab: their vocabulary.
        options: further arguments of ``MaskedDataset``.
    """

    def __init__(self, dataset: Rows, vocab: Vocabulary, **options: Any) -> None:
        super().__init__(dataset, **options)
        assert vocab.pad_id is not None  # every dictionary of fairseq has one
        self.vocab = vocab
        self.pad_id = vocab.pad_id

    def __getitem__(self, index: int | Sample) -> dict[str, Any]:
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Indices) -> Sequence[dict[str, Any]]:
        """The rows of a batch; torch's data loader asks for all of them at once."""
        if not len(indices):  # what fairseq gives a rank for which no batch is left
            return []
        loaded: Loaded = self.dataset.load(*self._places(indices))
        return loaded

    def _places(self, indices: Indices) -> tuple[IntArray, IntArray]:
        """The numbers of rows, and their moments: int64, shape (rows, 2)."""
        if isinstance(indices, TimedBatch) and not self.frozen:  # one moment for all of them
            moments = np.full((len(indices), 2), (indices.epoch, indices.step))
            return np.asarray(indices.rows, np.int64), moments
        rows, each = zip(*map(self.timed, indices), strict=True)
        return np.array(rows, np.int64), np.array(each, np.int64)

    def collater(self, samples: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """One batch of masked rows, as fairseq's criteria want it; empty for no samples."""
        if not len(samples):
            return {}
        rows = samples if isinstance(samples, Loaded) else Loaded.of(samples)
        keys = self.dataset.keys(rows.indices)
        tokens = TokenBatch.from_flat(rows.ids, rows.offsets, keys)
        if rows.line_begins is not None:
            starts = rows.line_begins | self._sentence_starts(tokens)
            tokens = replace(tokens, annotations={"sentence_starts": starts})
        masked = self.mask_tokens(tokens, rows.moments, self.vocab)
        return {"nsentences": len(rows), **self.batch(rows.indices, masked)}

    def _sentence_starts(self, tokens: TokenBatch) -> BoolArray | bool:
        """Where sentences begin by the vocabulary, one bool a token; False where it knows none."""
        ends = self.vocab.sentence_end
        return ends is not None and ends.any() and self.vocab.sentence_starts(tokens)

    @abstractmethod
    def batch(self, ids: IntArray, masked: Masked) -> dict[str, Any]:
        """The fields of a batch."""

    def padded(self, rows: Ragged, order: IntArray | slice = slice(None)) -> torch.Tensor:
        """Rows in a rectangle and in this order, padded on the right: int64."""
        return torch.from_numpy(pad(rows, self.pad_id)[order])


class MaskedLMDataset(MaskedRowsDataset):
    """Masked tokens are predicted in place; ``target`` is padding wherever nothing is."""

    def batch(self, ids: IntArray, masked: Masked) -> dict[str, Any]:
        """The fields that the criterion ``masked_lm`` reads."""
        assert masked.labels is not None  # the task has made sure of it
        labels = masked.labels.values
        target = Ragged(np.where(labels < 0, self.pad_id, labels), masked.labels.offsets)
        return {
            "id": torch.tensor(ids),
            "ntokens": len(masked.inputs.values),
            "net_input": {
                "src_tokens": self.padded(masked.inputs),
                "src_lengths": torch.tensor(masked.inputs.lengths),
            },
            "target": self.padded(target),
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
        heads = self.heads[self.dataset.place(ids)[0]]
        return {
            "id": torch.from_numpy(ids[order]),
            "ntokens": len(masked.targets.values),
            "net_input": {
                "src_tokens": self.padded(masked.inputs, order),
                "src_lengths": torch.from_numpy(masked.inputs.lengths[order]),
                "prev_output_tokens": self.padded(shifted(masked.targets, heads), order),
            },
            "target": self.padded(masked.targets, order),
            "heads": torch.from_numpy(heads[order]),
        }
