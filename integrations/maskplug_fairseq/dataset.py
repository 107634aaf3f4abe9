"""A pair dataset whose batches are masked while they are collated, in whichever process that is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from fairseq.data import BaseWrapperDataset

from maskplug import Ragged, Strategy, TokenBatch, Vocabulary, derive
from maskplug.arrays import UintArray, offsets_of
from maskplug.errors import OptionError
from maskplug.schedule import progress_at
from maskplug_fairseq.epoch import Sample


class MaskedPairDataset(BaseWrapperDataset):  # type: ignore[misc]
    """Masks the batches of a pair dataset; everything else is the wrapped dataset's.

    The key of a sample is its row number; the target side has ``derive(keys, "target")``. On the
    target side only the decoder's input is masked, what it must predict stays.

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
        super().__init__(dataset)
        self.strategy = strategy
        self.seed = seed
        self.source = source
        self.target = target
        self.max_epoch = max_epoch
        # Shared, so that set_epoch reaches workers that are running already. It serves those who
        # load rows by plain number; the task's batches carry their own time.
        epoch = torch.ones(1, dtype=torch.int64)
        self._epoch = epoch.share_memory_()  # type: ignore[no-untyped-call]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or "dataset" not in self.__dict__:  # while it is unpickled
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self.dataset, name)

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch, counted from 1 as fairseq does, for rows loaded by plain number."""
        super().set_epoch(epoch)
        self._epoch[0] = epoch

    def __getitem__(self, index: int | Sample) -> dict[str, Any]:
        if not isinstance(index, Sample):
            index = Sample(index, int(self._epoch[0]) - 1, 0)
        return {**self.dataset[index.row], "moment": (index.epoch, index.step)}

    def num_tokens_vec(self, indices: Any) -> Any:
        """The wrapped dataset's answer."""
        return self.dataset.num_tokens_vec(indices)

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
        masked = [dict(sample) for sample in samples]
        moments = np.array([sample.pop("moment") for sample in masked], np.int64).reshape(-1, 2)
        keys = np.array([sample["id"] for sample in masked], np.uint64)
        if samples and self.source is not None:
            inputs = self._mask([s["source"] for s in masked], keys, moments, self.source)
            _write(masked, "source", inputs)
        if samples and self.target is not None:
            rows = [s["target"] for s in masked]
            inputs = self._mask(rows, derive(keys, "target"), moments, self.target)
            self._check_lengths(rows, inputs)
            _write(masked, "prev_output_tokens", _shifted(inputs, self.dataset.eos))
            if pad_to_length is not None:  # fairseq widens the target only
                self._widen(masked, pad_to_length["target"])
        return self.dataset.collater(masked, pad_to_length=pad_to_length)  # type: ignore[no-any-return]

    def _mask(
        self, rows: list[torch.Tensor], keys: UintArray, moments: Any, vocab: Vocabulary
    ) -> Ragged:
        offsets = offsets_of([len(row) for row in rows])
        tokens = TokenBatch.from_flat(torch.cat(rows).numpy(), offsets, keys)
        epochs, steps = moments.T
        far = np.array([progress_at(int(epoch), self.max_epoch) for epoch in epochs])
        return self.strategy(
            tokens, vocab, seed=self.seed, epoch=epochs, step=steps, progress=far
        ).inputs

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


def _shifted(targets: Ragged, eos: int) -> Ragged:
    """The rows moved by one token to the right, behind ``eos``: what a decoder reads."""
    moved = np.roll(targets.values, 1)
    moved[targets.offsets[:-1][targets.lengths > 0]] = eos
    return Ragged(moved, targets.offsets)


def _write(items: list[dict[str, Any]], name: str, rows: Ragged) -> None:
    """Put the rows, as tensors of their own, into the items."""
    flat = torch.tensor(rows.values)
    for item, row in zip(items, torch.split(flat, rows.lengths.tolist()), strict=True):
        item[name] = row
