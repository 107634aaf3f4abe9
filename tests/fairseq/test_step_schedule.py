from __future__ import annotations

import pytest

from maskplug.schedule import progress_at
from maskplug_fairseq.step_schedule import StepSchedule, TimedIndex, attach_times


@pytest.mark.parametrize(
    ("frequency", "skip", "batches", "epoch", "steps"),
    [
        ([1], False, 3, 0, [0, 1, 2]),
        ([1], False, 3, 2, [6, 7, 8]),
        ([2], False, 5, 1, [3, 3, 4, 4, 5]),
        ([3, 1], False, 4, 2, [6, 7, 8, 9]),
        ([2], True, 5, 1, [2, 2, 3, 3, 4]),  # the trainer skips the last batch
    ],
)
def test_steps_of_batches(
    frequency: list[int], skip: bool, batches: int, epoch: int, steps: list[int]
) -> None:
    timed = StepSchedule(frequency, skip).timed([[i] for i in range(batches)], epoch)
    assert [list(batch) for batch in timed] == [
        [TimedIndex(i, epoch, step)] for i, step in enumerate(steps)
    ]


def test_attach_times_changes_an_iterator_once() -> None:
    iterator = type("Iterator", (), {"ordered_batches": lambda self, *_: [[4, 5]]})()
    for _ in range(2):
        attach_times(iterator, StepSchedule())
    batches = iterator.ordered_batches(3, False, True)
    assert [list(batch) for batch in batches] == [[TimedIndex(4, 2, 2), TimedIndex(5, 2, 2)]]


def test_progress_is_exact_at_both_ends() -> None:
    for last in (2, 3, 7, 50):
        assert progress_at(0, last) == 0.0
        assert progress_at(last - 1, last) == progress_at(last + 4, last) == 1.0
    assert progress_at(0, 1) == progress_at(3, 0) == 0.0
