"""Tests of the selector ``insertions``."""

from __future__ import annotations

from maskplug.selectors import Insertions
from support.batches import equal_rows, select, uniform
from support.denoising import spans_of


def test_every_set_of_positions_is_equally_likely() -> None:
    tokens = equal_rows(15_000, 5)
    rows = spans_of(select(Insertions(0.4), tokens), tokens)
    assert uniform((tuple(start for start, _ in row) for row in rows), 15)  # of six slots two
