"""Run kernels match the definition in plain Python."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from maskplug.kernels.units import distances, stretch, touching
from maskplug.types import offsets_of, readonly

#: A unit: the gap before it, and its length.
units = st.tuples(st.integers(0, 2), st.integers(1, 3))
batches = st.lists(st.lists(units, max_size=6), max_size=5)


def laid(rows: list[list[tuple[int, int]]]) -> tuple[list[list[tuple[int, int]]], Any, Any, Any]:
    """Return the spans row by row, then flat starts, lengths and row offsets."""
    spans, at = [], 0
    for row in rows:
        spans.append([])
        for gap, length in row:
            spans[-1].append((at + gap, length))
            at += gap + length
    flat = [unit for row in spans for unit in row]
    starts, lengths = (readonly([unit[i] for unit in flat], np.int64) for i in (0, 1))
    return spans, starts, lengths, readonly(offsets_of([len(row) for row in rows]), np.int64)


def joined(row: list[tuple[int, int]]) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for start, length in row:
        if spans and sum(spans[-1]) == start:
            spans[-1] = (spans[-1][0], spans[-1][1] + length)
        else:
            spans.append((start, length))
    return spans


@given(batches)
def test_touching(rows: list[list[tuple[int, int]]]) -> None:
    spans, *arrays = laid(rows)
    assert touching(*arrays) == any(len(joined(row)) < len(row) for row in spans)


@given(st.data(), batches)
def test_stretch(data: st.DataObject, rows: list[list[tuple[int, int]]]) -> None:
    spans, *arrays = laid(rows)
    firsts = [data.draw(st.integers(0, 6)) for _ in rows]
    counts = [data.draw(st.integers(0, 6)) for _ in rows]
    starts, lengths, bounds = stretch(
        *arrays, readonly(firsts, np.int64), readonly(counts, np.int64)
    )
    expected = [
        joined(row[first : first + count])
        for row, first, count in zip(spans, firsts, counts, strict=True)
    ]
    spans = zip(starts.tolist(), lengths.tolist(), strict=True)
    assert list(spans) == [span for row in expected for span in row]
    assert bounds.tolist() == offsets_of([len(row) for row in expected]).tolist()


@given(st.lists(st.lists(st.sampled_from("cvo"), max_size=9), max_size=5))
def test_distances_to_the_nearest_visible_token(rows: list[list[str]]) -> None:
    """Return the distance in a row of selected, visible and outside tokens."""
    flat = np.array([token for row in rows for token in row])
    offsets = readonly(offsets_of([len(row) for row in rows]), np.int64)
    chosen, outside = (readonly(flat == kind, np.bool_) for kind in "co")

    def nearest(row: list[str], i: int, step: int) -> int:
        at = i
        while 0 <= at < len(row) and row[at] == "c":
            at += step
        return abs(at - i) if 0 <= at < len(row) and row[at] == "v" else 0

    left_and_right = distances(chosen, outside, offsets)
    for step, side in zip((-1, 1), left_and_right, strict=True):
        assert side.tolist() == [nearest(row, i, step) for row in rows for i in range(len(row))]
