"""Send the epoch and the optimizer step to data-loading workers with every batch of row numbers.

fairseq's workers outlive epochs and load ahead of training, so neither a dataset's attribute nor
the progress of the main process tells a worker the epoch of the batch that it loads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple


class TimedIndex(NamedTuple):
    """A row number with its epoch and optimizer step, both counted from 0."""

    row: int
    epoch: int
    step: int


@dataclass(frozen=True)
class TimedBatch:
    """The row numbers of one batch with their epoch and step; iterates over ``TimedIndex``."""

    rows: Sequence[int]
    epoch: int
    step: int

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[TimedIndex]:
        return (TimedIndex(int(row), self.epoch, self.step) for row in self.rows)


@dataclass(frozen=True)
class StepSchedule:
    """Compute the optimizer step of each batch from its position in the epoch.

    Epochs are counted from 0 and have equally many batches. Steps that the trainer skips after an
    overflow are counted.

    Args:
        update_freq: batches per step, one value per epoch; the last one holds for later epochs.
        skip_remainder: whether fairseq drops the incomplete step at the end of an epoch.
    """

    update_freq: Sequence[int] = (1,)
    skip_remainder: bool = False

    def batches_per_step(self, epoch: int) -> int:
        """Return the batches per step in an epoch."""
        return self.update_freq[min(epoch, len(self.update_freq) - 1)]

    def steps_before(self, epoch: int, batches: int) -> int:
        """Return the number of steps before an epoch, with this number of batches per epoch.

        Example:
            >>> StepSchedule([4, 2]).steps_before(1, 9), StepSchedule([4], True).steps_before(2, 9)
            (3, 4)
        """
        # To skip the remainder, fairseq drops the last batch, then the last incomplete step.
        used = batches - 1 if self.skip_remainder else batches
        sizes = (self.batches_per_step(earlier) for earlier in range(epoch))
        return sum(used // n if self.skip_remainder else -(-used // n) for n in sizes)

    def timed(self, batches: Sequence[Sequence[int]], epoch: int) -> list[TimedBatch]:
        """Add the epoch and the step to the batches of an epoch.

        Example:
            >>> [b.step for b in StepSchedule([1, 2]).timed([[0], [1], [2]], epoch=1)]
            [3, 3, 4]
        """
        first, size = self.steps_before(epoch, len(batches)), self.batches_per_step(epoch)
        return [TimedBatch(rows, epoch, first + i // size) for i, rows in enumerate(batches)]


def attach_times(iterator: Any, schedule: StepSchedule) -> None:
    """Make a fairseq ``EpochBatchIterator`` yield a ``TimedBatch`` for each batch."""
    if not isinstance(iterator.ordered_batches, partial):  # fairseq reuses its iterators
        iterator.ordered_batches = partial(_timed_order, iterator.ordered_batches, schedule)


def _timed_order(
    order: Callable[..., Sequence[Sequence[int]]], schedule: StepSchedule, epoch: int, *args: bool
) -> list[TimedBatch]:
    return schedule.timed(order(epoch, *args), epoch - 1)
