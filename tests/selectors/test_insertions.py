"""Tests of the selector ``insertions``."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from maskplug.selectors import Insertions
from support.batches import SPECIAL, batch, equal_rows, likely, ragged, select, uniform
from support.denoising import spans_of


def test_mean_count_is_exact() -> None:
    counts = select(Insertions(0.15), equal_rows(4_000, 10)).counts
    assert set(counts.tolist()) == {1, 2}
    assert likely((counts == 2).sum(), 4_000, 0.5)


def test_every_set_of_positions_is_equally_likely() -> None:
    tokens = equal_rows(15_000, 5)
    rows = spans_of(select(Insertions(0.4), tokens), tokens)
    assert uniform((tuple(start for start, _ in row) for row in rows), 15)  # of six slots two


@given(ragged(), st.floats(0, 1), st.sampled_from(["token", "word"]))
def test_positions_are_empty_spans_between_maskable_tokens(
    rows: list[list[int]], rate: float, unit: Any
) -> None:
    tokens = batch(rows)
    selection = select(Insertions(rate, unit), tokens)
    assert not selection.lengths.any()
    assert not selection.mask.any()
    assert (selection.counts <= Insertions(rate, unit).bound(tokens.lengths).empty).all()
    for row, row_spans in zip(rows, spans_of(selection, tokens), strict=True):
        free = [p for p, token in enumerate(row) if token not in SPECIAL]
        assert bool(row_spans) == (bool(free) and rate > 0)
        assert all(free[0] <= start <= free[-1] + 1 for start, _ in row_spans)
        assert len({start for start, _ in row_spans}) == len(row_spans)
