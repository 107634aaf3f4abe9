"""Pairs of texts, masked on one side or on both, for translation."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from maskplug import Ragged, Strategy, Vocabulary, derive
from maskplug.errors import OptionError
from maskplug.types import IntArray
from maskplug_fairseq.dataset import MaskedDataset, shifted, split_moments, tensors


class MaskedPairDataset(MaskedDataset):
    """Masks the batches of a pair dataset; everything else is the wrapped dataset's.

    The key of a sample is its row number; the target side has ``derive(keys, "target")``. On the
    target side only the decoder's input is masked, what it must predict stays. Where masking makes
    sources longer, batches are made for the longest that can come out.

    Args:
        dataset: a ``LanguagePairDataset``; neither it nor its items are changed.
        strategy: what masks.
        seed: from 0 to 2**64 - 1.
        source: the vocabulary of the sources; None leaves them alone.
        target: the vocabulary of the targets; None leaves the decoder's input alone.
        max_epoch: the number of epochs, for schedules; 0 where none needs it.
    """

    def __init__(
        self,
        dataset: Any,
        strategy: Strategy,
        seed: int = 0,
        source: Vocabulary | None = None,
        target: Vocabulary | None = None,
        max_epoch: int = 0,
    ) -> None:
        if source is not None:
            dataset = _roomy(dataset, strategy)
        super().__init__(dataset, strategy, seed, max_epoch)
        self.source = source
        self.target = target

    def collater(
        self, samples: list[dict[str, Any]], pad_to_length: dict[str, int] | None = None
    ) -> dict[str, Any]:
        """Mask a batch, then let the wrapped dataset collate it.

        Args:
            samples: items of this dataset; they are not changed.
            pad_to_length: least widths of ``source`` and ``target``.

        Raises:
            OptionError: when the strategy changes the length of a decoder's input.
        """
        masked, moments = split_moments(samples)
        keys = np.array([sample["id"] for sample in masked], np.uint64)
        if samples and self.source is not None:
            rows = [s["source"] for s in masked]
            inputs = self.mask(rows, keys, moments, self.source).inputs
            realign(masked, inputs)
            _write(masked, "source", inputs)
        if samples and self.target is not None:
            rows = [s["target"] for s in masked]
            inputs = self.mask(rows, derive(keys, "target"), moments, self.target).inputs
            self._check_lengths(rows, inputs)
            _write(masked, "prev_output_tokens", shifted(inputs, self.dataset.eos))
            if pad_to_length is not None:  # fairseq widens the target only
                self._widen(masked, pad_to_length["target"])
        return self.dataset.collater(masked, pad_to_length=pad_to_length)  # type: ignore[no-any-return]

    def _check_lengths(self, rows: Sequence[torch.Tensor], inputs: Ragged) -> None:
        if inputs.lengths.tolist() != [len(row) for row in rows]:
            raise OptionError(
                f"strategy {self.strategy.label!r} changes the number of tokens, and a decoder's "
                "input must be as long as its target: use --masking-side source, or a strategy "
                "that masks in place"
            )

    def _widen(self, items: list[dict[str, Any]], width: int) -> None:
        pad, left = self.dataset.tgt_dict.pad(), self.dataset.left_pad_target
        for item in items:
            row = item["prev_output_tokens"]
            rest = max(0, width - len(row))
            edges = (rest, 0) if left else (0, rest)
            item["prev_output_tokens"] = torch.nn.functional.pad(row, edges, value=pad)


def _roomy(dataset: Any, strategy: Strategy) -> Any:
    """The pair dataset, with sizes that hold after its sources were masked."""
    sizes = np.asarray(dataset.src_sizes, np.int64)
    longest = np.maximum(sizes, strategy.bounds(sizes)[0])
    if (longest == sizes).all():
        return dataset
    roomy = copy.copy(dataset)
    roomy.src_sizes = roomy.sizes = longest
    if dataset.tgt_sizes is not None:
        roomy.sizes = np.vstack((longest, dataset.tgt_sizes)).T
    return roomy


def _write(items: list[dict[str, Any]], name: str, rows: Ragged) -> None:
    """Put the rows, as tensors of their own, into the items."""
    for item, row in zip(items, tensors(rows), strict=True):
        item[name] = row


def realign(items: list[dict[str, Any]], inputs: Ragged) -> None:
    """Let word alignments (--load-alignments) follow their source tokens, or go with them."""
    if inputs.sources is None or items[0].get("alignment") is None:
        return
    first = 0
    for item, a, b in zip(items, inputs.offsets, inputs.offsets[1:], strict=False):
        length = len(item["source"])
        place: IntArray = np.full(length, -1, np.int64)
        sources = inputs.sources[a:b]
        kept = np.flatnonzero(sources >= 0)
        place[sources[kept] - first] = kept
        first += length
        pairs = item["alignment"].view(-1, 2)
        moved = torch.from_numpy(place)[pairs[:, 0].long()]
        there = moved >= 0
        pairs = torch.stack((moved[there].to(pairs.dtype), pairs[there, 1]), 1)
        item["alignment"] = pairs.view(-1)
