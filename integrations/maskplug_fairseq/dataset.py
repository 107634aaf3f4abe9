"""The base of all masked datasets: rows get a time when loaded and masks when collated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from fairseq.data import BaseWrapperDataset

from maskplug import Masked, Ragged, Strategy, TokenBatch, Vocabulary
from maskplug.rng import Feedback
from maskplug.schedule import progress_at
from maskplug.types import IntArray
from maskplug_fairseq.step_schedule import TimedIndex


class MaskedDataset(BaseWrapperDataset):  # type: ignore[misc]
    """Mask the batches of a dataset of items (dicts) and forward everything else to it.

    Subclasses implement ``collater``, which masks batches in the process that collates them.

    Args:
        dataset: the wrapped dataset; neither it nor its items are changed.
        strategy: the masking strategy.
        seed: from 0 to 2**64 - 1.
        max_epoch: the number of epochs, for schedules; 0 if no schedule is used.
        fixed_masks: whether every epoch gets the masks of epoch 0, step 0.
    """

    #: The losses that an adaptive strategy follows; set by the task.
    feedback: Feedback | None = None

    def __init__(
        self,
        dataset: Any,
        strategy: Strategy,
        seed: int = 0,
        max_epoch: int = 0,
        fixed_masks: bool = False,
    ) -> None:
        super().__init__(dataset)
        self.strategy, self.seed, self.max_epoch = strategy, seed, max_epoch
        self.fixed_masks = fixed_masks
        # In shared memory, so that set_epoch reaches running workers. Only used for rows loaded by
        # plain number; the batches of a task have their own time.
        epoch = torch.ones(1, dtype=torch.int64)
        self._epoch = epoch.share_memory_()  # type: ignore[no-untyped-call]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or "dataset" not in self.__dict__:  # while unpickling
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self.dataset, name)

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch, counted from 1, of rows that are loaded by plain number."""
        super().set_epoch(epoch)
        self._epoch[0] = epoch

    def __getitem__(self, index: int | TimedIndex) -> dict[str, Any]:
        row, time = self.time_of(index)
        return {**self.dataset[row], "time": time}

    def time_of(self, index: int | TimedIndex) -> tuple[int, tuple[int, int]]:
        """Return the row number of an index, and its epoch and step, counted from 0."""
        if not isinstance(index, TimedIndex):
            index = TimedIndex(index, int(self._epoch[0]) - 1, 0)
        return index.row, (0, 0) if self.fixed_masks else (index.epoch, index.step)

    def num_tokens_vec(self, indices: Any) -> Any:
        """Return the tokens of rows for ``--max-tokens``."""
        return self.dataset.num_tokens_vec(indices)

    def mask(self, tokens: TokenBatch, times: IntArray, vocab: Vocabulary) -> Masked:
        """Mask a batch; ``times`` are int64 (samples, 2): epochs and steps, counted from 0."""
        epochs, steps = times.T
        progress = {epoch: progress_at(epoch, self.max_epoch) for epoch in set(epochs.tolist())}
        return self.strategy(
            tokens,
            vocab,
            seed=self.seed,
            epoch=epochs,
            step=steps,
            progress=np.array([progress[epoch] for epoch in epochs.tolist()]),
            feedback=self.feedback,
        )


def split_times(samples: Sequence[dict[str, Any]]) -> tuple[list[dict[str, Any]], IntArray]:
    """Return copies of items without their times, and the times: int64 of shape (samples, 2)."""
    items = [dict(sample) for sample in samples]
    times = np.array([item.pop("time") for item in items], np.int64)
    return items, times.reshape(-1, 2)


def split_rows(rows: Ragged) -> tuple[torch.Tensor, ...]:
    """Return rows as tensors that share no memory with the input."""
    return torch.split(torch.tensor(rows.values), rows.lengths.tolist())


def shift_right(targets: Ragged, first: IntArray | int) -> Ragged:
    """Return decoder inputs: targets shifted right by one token, behind ``first``.

    Example:
        >>> shift_right(Ragged(np.array([5, 6, 2]), np.array([0, 2, 3])), 9).to_lists()
        [[9, 5], [9]]
    """
    shifted = np.roll(targets.values, 1)
    nonempty = targets.lengths > 0
    starts = targets.offsets[:-1][nonempty]
    shifted[starts] = first if np.ndim(first) == 0 else np.asarray(first)[nonempty]
    return Ragged(shifted, targets.offsets)
