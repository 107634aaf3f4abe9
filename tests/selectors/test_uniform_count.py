"""Tests of the selector ``uniform_count``; for the distribution of the number see trap 14."""

from __future__ import annotations

import pytest

from maskplug.selectors import UniformCount
from support.batches import likely, masks, uniform


@pytest.mark.parametrize("length", [1, 2])
def test_counts_are_uniform_from_one_to_all(length: int) -> None:
    counts = masks(UniformCount(), 20_000, length).sum(axis=1)
    assert counts.min() == 1
    assert uniform(counts.tolist(), length)


def test_positions_are_uniform() -> None:
    hit = masks(UniformCount(), 20_000, 5)
    assert all(likely(count, 20_000, 0.6) for count in hit.sum(axis=0))
    assert uniform(hit[hit.sum(axis=1) == 2], 10)
