"""How time reaches the process that masks: every batch of row numbers carries it.

fairseq's data-loading workers outlive epochs and run ahead of the training loop, so neither a
dataset's attribute nor what the main process has reached tells them where they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple


class Sample(NamedTuple):
    """A row of the dataset and when it is used; epoch and step count from 0."""

    row: int
    epoch: int
    step: int


@dataclass(frozen=True)
class TimedBatch:
    """The row numbers of one batch; iterating gives a :class:`Sample` for each."""

    rows: Sequence[int]
    epoch: int
    step: int

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Sample]:
        return (Sample(int(row), self.epoch, self.step) for row in self.rows)


@dataclass(frozen=True)
class Calendar:
    """Which optimizer step a batch belongs to, by its place in its epoch.

    Every epoch counts as many batches as the one that is asked about; steps that the trainer skips
    (after an overflow) count as steps.

    Args:
        update_freq: batches a step, for each epoch; the last one holds for all later epochs.
        skip_remainder: whether fairseq drops what is left over at an epoch's end.
    """

    update_freq: Sequence[int] = (1,)
    skip_remainder: bool = False

    def frequency(self, epoch: int) -> int:
        """Batches a step in this epoch, counted from 0."""
        return self.update_freq[min(epoch, len(self.update_freq) - 1)]

    def steps(self, epoch: int, batches: int) -> int:
        """The number of steps of this epoch, counted from 0.

        Example:
            >>> Calendar(update_freq=[4, 2]).steps(0, 9), Calendar([4, 2], True).steps(1, 9)
            (3, 4)
        """
        if self.skip_remainder:  # fairseq drops the last batch, then the last incomplete step
            return (batches - 1) // self.frequency(epoch)
        return -(-batches // self.frequency(epoch))

    def timed(self, batches: Sequence[Sequence[int]], epoch: int) -> list[TimedBatch]:
        """The batches of an epoch, counted from 0, in order and with their time.

        Example:
            >>> [b.step for b in Calendar(update_freq=[1, 2]).timed([[0], [1], [2]], epoch=1)]
            [3, 3, 4]
        """
        first = sum(self.steps(e, len(batches)) for e in range(epoch))
        frequency = self.frequency(epoch)
        return [TimedBatch(b, epoch, first + i // frequency) for i, b in enumerate(batches)]


@dataclass(frozen=True)
class TimedOrder:
    """Stands in for ``EpochBatchIterator.ordered_batches`` and adds the time to its batches."""

    ordered_batches: Callable[[int, bool, bool], Sequence[Sequence[int]]]
    calendar: Calendar

    def __call__(self, epoch: int, fix_batches_to_gpus: bool, shuffle: bool) -> list[TimedBatch]:
        """The batches of an epoch, counted from 1 as fairseq does."""
        batches = self.ordered_batches(epoch, fix_batches_to_gpus, shuffle)
        return self.calendar.timed(batches, epoch - 1)


def carry_time(iterator: Any, calendar: Calendar) -> None:
    """Make a fairseq ``EpochBatchIterator`` send the time along with each batch of rows."""
    if not isinstance(iterator.ordered_batches, TimedOrder):  # fairseq reuses its iterators
        iterator.ordered_batches = TimedOrder(iterator.ordered_batches, calendar)
