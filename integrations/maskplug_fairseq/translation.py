"""The task ``maskplug_translation``: translation with masked sources, decoder inputs, or both."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from fairseq.tasks import register_task
from fairseq.tasks.translation import TranslationTask

from maskplug import Ragged, Strategy, TokenBatch, Vocabulary, derive
from maskplug.errors import OptionError
from maskplug.types import IntArray
from maskplug_fairseq.dataset import MaskedDataset, shift_right, split_rows, split_times
from maskplug_fairseq.options import MaskplugTranslationConfig
from maskplug_fairseq.rows import concatenate
from maskplug_fairseq.task import MaskingTask
from maskplug_fairseq.vocabulary import MASK


class MaskedPairDataset(MaskedDataset):
    """Mask the batches of a ``LanguagePairDataset`` and forward everything else to it.

    The key of a sample is its row number; for the target side, ``derive(keys, "target")``. On the
    target side the decoder's input is masked and the prediction targets stay. If masking can
    make sources longer, batches have room for the longest possible result.

    Args:
        dataset: a ``LanguagePairDataset``; neither it nor its items are changed.
        strategy: the masking strategy.
        source: the vocabulary of the sources; None leaves sources unmasked.
        target: the vocabulary of the targets; None leaves decoder inputs unmasked.
        options: see ``MaskedDataset``.
    """

    def __init__(
        self,
        dataset: Any,
        strategy: Strategy,
        source: Vocabulary | None = None,
        target: Vocabulary | None = None,
        **options: Any,
    ) -> None:
        if source is not None:
            dataset = _with_room(dataset, strategy)
        super().__init__(dataset, strategy, **options)
        self.source, self.target = source, target

    def collater(
        self, samples: list[dict[str, Any]], pad_to_length: dict[str, int] | None = None
    ) -> dict[str, Any]:
        """Mask a batch and collate it as the wrapped dataset does; items are not changed."""
        items, times = split_times(samples)
        keys = np.array([item["id"] for item in items], np.uint64)
        if items and self.source is not None:
            tokens = TokenBatch(*concatenate([item["source"] for item in items]), keys)
            inputs = self.mask(tokens, times, self.source).inputs
            realign(items, inputs)
            for item, row in zip(items, split_rows(inputs), strict=True):
                item["source"] = row
        if items and self.target is not None:
            flat = concatenate([item["target"] for item in items])
            tokens = TokenBatch(*flat, derive(keys, "target"))
            inputs = self.mask(tokens, times, self.target).inputs
            if not np.array_equal(inputs.offsets, tokens.offsets):
                raise OptionError(
                    f"strategy {self.strategy.label!r} changes the number of tokens, but a "
                    "decoder's input must be as long as its target: use --masking-side source, or "
                    "a strategy that masks in place"
                )
            decoder_inputs = split_rows(shift_right(inputs, self.dataset.eos))
            # fairseq pads the target to this width, but not the decoder's input.
            width = 0 if pad_to_length is None else pad_to_length["target"]
            for item, row in zip(items, decoder_inputs, strict=True):
                item["prev_output_tokens"] = self._pad_target(row, width)
        return self.dataset.collater(items, pad_to_length=pad_to_length)  # type: ignore[no-any-return]

    def _pad_target(self, row: torch.Tensor, width: int) -> torch.Tensor:
        missing = width - len(row)
        if missing <= 0:
            return row
        sides = (missing, 0) if self.dataset.left_pad_target else (0, missing)
        return torch.nn.functional.pad(row, sides, value=self.dataset.tgt_dict.pad())


def _with_room(dataset: Any, strategy: Strategy) -> Any:
    """Return the dataset with the maximum source sizes after masking."""
    sizes = np.asarray(dataset.src_sizes, np.int64)
    longest = np.maximum(sizes, strategy.bounds(sizes)[0])
    if (longest == sizes).all():
        return dataset
    dataset = copy.copy(dataset)
    dataset.src_sizes = dataset.sizes = longest
    if dataset.tgt_sizes is not None:
        dataset.sizes = np.vstack((longest, dataset.tgt_sizes)).T
    return dataset


def realign(items: Sequence[dict[str, Any]], inputs: Ragged) -> None:
    """Update the word alignments (--load-alignments) of items with the given masked sources."""
    if inputs.sources is None or items[0].get("alignment") is None:
        return
    first = 0
    for item, start, end in zip(items, inputs.offsets, inputs.offsets[1:], strict=False):
        length = len(item["source"])
        new_positions: IntArray = np.full(length, -1, np.int64)
        sources = inputs.sources[start:end]
        kept = np.flatnonzero(sources >= 0)
        new_positions[sources[kept] - first] = kept
        first += length
        pairs = item["alignment"].view(-1, 2)
        moved = torch.from_numpy(new_positions)[pairs[:, 0].long()]
        pairs = torch.stack((moved.to(pairs.dtype), pairs[:, 1]), 1)
        item["alignment"] = pairs[moved >= 0].view(-1)


@register_task("maskplug_translation", dataclass=MaskplugTranslationConfig)
class MaskplugTranslationTask(MaskingTask, TranslationTask):  # type: ignore[misc]
    """fairseq's ``translation`` with a masked training split; all other text is unmasked.

    The key of a sample is its row number.
    """

    def added_symbols(self) -> list[str]:
        """Return ``<mask>`` if requested; without it ``translation`` can load checkpoints."""
        return [MASK] if self.cfg.masking_symbol == "add" else []

    def masked_dictionaries(self) -> Mapping[str, Any]:
        """Return the dictionaries of the masked sides: ``source``, ``target``, or both."""
        dictionaries = {"source": self.src_dict, "target": self.tgt_dict}
        side = str(self.cfg.masking_side)
        return dictionaries if side == "both" else {side: dictionaries[side]}

    def recorded_options(self) -> dict[str, Any]:
        """Add the masked side."""
        return {"side": str(self.cfg.masking_side), **super().recorded_options()}

    def feedback_unavailable_reason(self) -> str:
        """Require that the predicted side alone is masked."""
        if str(self.cfg.masking_side) == "target":
            return ""
        return "a translation model predicts the target side: use --masking-side target"

    def load_dataset(
        self, split: str, epoch: int = 1, combine: bool = False, **kwargs: Any
    ) -> None:
        """Load a split; mask it if it is loaded for training."""
        super().load_dataset(split, epoch=epoch, combine=combine, **kwargs)
        if self.is_trained(split, kwargs):
            self.check_time()
            self.datasets[split] = MaskedPairDataset(
                self.datasets[split], **{**self.dataset_options, **self.masking_vocabularies}
            )
