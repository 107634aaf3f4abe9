"""Unit kernels match their definition in plain Python."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskplug.kernels import units
from maskplug.types import readonly
from maskplug.units import NO_IDS
from maskplug.vocabulary.words import token_codes
from support.flat import flat, integers, joined, row_offsets

SPECIAL = readonly([True, False, False, True, False], np.bool_)
batches = st.lists(st.lists(st.integers(0, len(SPECIAL) - 1), max_size=9), max_size=6)

#: Spans of a row: start and length.
Spans = list[tuple[int, int]]
#: Units of a row: the gap before each, and its length.
spaced = st.lists(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 3)), max_size=6), max_size=5)


@given(batches)
def test_token_units_are_ordinary_tokens(rows: list[list[int]]) -> None:
    ids, offsets = flat(rows)
    free = np.empty(len(ids), np.bool_)
    units.ordinary_tokens(ids, SPECIAL, free)
    assert free.tolist() == (~SPECIAL[ids]).tolist()
    places = np.flatnonzero(free)
    bounds = np.searchsorted(places, offsets)
    assert units.ordinary_counts(ids, SPECIAL, offsets).tolist() == np.diff(bounds).tolist()
    starts, others = np.empty((2, len(ids)), np.int64)
    assert units.token_units(ids, SPECIAL, offsets, starts).tolist() == bounds.tolist()
    maskable = readonly(free, np.bool_)
    assert units.single_units(maskable, offsets, others).tolist() == bounds.tolist()
    assert starts[: len(places)].tolist() == others[: len(places)].tolist() == places.tolist()


@given(batches)
def test_take_units(rows: list[list[int]]) -> None:
    lengths, offsets = flat(rows)
    starts = integers(np.cumsum(lengths))
    chosen = readonly(lengths % 2 == 0, np.bool_)
    taken = units.take_units(chosen, starts, lengths, offsets)
    assert taken[0].tolist() == starts[chosen].tolist()
    assert taken[1].tolist() == lengths[chosen].tolist()
    assert taken[2].tolist() == np.searchsorted(np.flatnonzero(chosen), offsets).tolist()


@given(st.lists(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=9), max_size=6))
def test_word_units_are_runs_cut_at_word_starts(rows: list[list[tuple[bool, bool]]]) -> None:
    tokens = joined(rows)
    maskable, begins = (np.array([t[i] for t in tokens], np.bool_) for i in (0, 1))
    offsets = row_offsets([len(row) for row in rows])
    expected: list[list[int]] = []
    counts = []
    for first, row in zip(offsets.tolist(), rows, strict=False):
        open_word = False
        for i, (free, new) in enumerate(row, first):
            if free and (new or not open_word):
                expected.append([i, 0])
            if free:
                expected[-1][1] += 1
            open_word = free
        counts.append(len(expected))
    starts, lengths = np.empty((2, len(tokens) + 1), np.int64)
    codes = token_codes(maskable, begins)
    result = units.word_units(NO_IDS, codes, offsets, starts, lengths)
    assert result.tolist() == [0, *counts]
    assert np.stack((starts, lengths), 1)[: len(expected)].tolist() == expected


@given(st.lists(st.lists(st.integers(0, 5), max_size=9), max_size=6))
def test_word_units_by_id_and_by_token_agree(rows: list[list[int]]) -> None:
    codes = token_codes(*np.array([[0, 1, 1, 1, 1, 0], [0, 0, 1, 0, 1, 0]], np.bool_))
    ids, offsets = flat(rows)
    token = readonly(codes[ids], np.uint32)
    by_id, by_token = np.zeros((2, 2, len(ids) + 1), np.int64)
    result = units.word_units(ids, codes, offsets, *by_id)
    assert result.tolist() == units.word_units(NO_IDS, token, offsets, *by_token).tolist()
    assert by_id[:, : result[-1]].tolist() == by_token[:, : result[-1]].tolist()


@pytest.mark.parametrize(
    ("ids", "result"), [([], False), ([0, 4], False), ([2, 5], True), ([-1], True), ([2**62], True)]
)
def test_outside(ids: list[int], result: bool) -> None:
    assert units.outside(integers(ids), 5) == result


@pytest.mark.parametrize("offsets", [[0, 3], [0, 2, 2, 3]])
def test_rising_offsets(offsets: list[int]) -> None:
    assert units.rising(integers(offsets), 3)


@pytest.mark.parametrize("offsets", [[], [0], [0, 2, 1, 3], [1, 3], [0, 4], [0, 4, 3]])
def test_other_offsets_are_not_rising(offsets: list[int]) -> None:
    assert not units.rising(integers(offsets), 3)


@given(st.lists(st.lists(st.integers(0, 12), max_size=4), max_size=6), st.integers(0, 3))
def test_exceeding_row(rows: list[list[int]], first: int) -> None:
    sizes = [sum(row) + 3 * i for i, row in enumerate(rows)]
    rates = readonly(np.linspace(0.1, 0.6, len(rows)), np.float64)
    longest = [max(row, default=0) for row in rows]
    expected = [
        i
        for i in range(first, len(rows))
        if longest[i] >= 8 and longest[i] > 2 * rates[i] * sizes[i]
    ]
    row = units.exceeding_row(*flat(rows), row_offsets(sizes), rates, 8, first)
    assert row == (expected[0] if expected else -1)


def laid_out(rows: list[Spans]) -> tuple[list[Spans], Any, Any, Any]:
    """Return the spans row by row, then flat starts, lengths and row offsets."""
    spans: list[Spans] = []
    at = 0
    for row in rows:
        spans.append([])
        for gap, length in row:
            spans[-1].append((at + gap, length))
            at += gap + length
    starts, lengths = (integers([span[i] for span in joined(spans)]) for i in (0, 1))
    return spans, starts, lengths, row_offsets([len(row) for row in rows])


def merged(row: Spans) -> Spans:
    spans: Spans = []
    for start, length in row:
        if spans and sum(spans[-1]) == start:
            spans[-1] = (spans[-1][0], spans[-1][1] + length)
        else:
            spans.append((start, length))
    return spans


@given(spaced)
def test_touching_and_join(rows: list[Spans]) -> None:
    spans, *arrays = laid_out(rows)
    expected = [merged(row) for row in spans]
    assert units.touching(*arrays) == (expected != spans)
    starts, lengths, bounds = units.join(*arrays)
    assert list(zip(starts.tolist(), lengths.tolist(), strict=True)) == joined(expected)
    assert bounds.tolist() == row_offsets([len(row) for row in expected]).tolist()


@given(st.data(), spaced)
def test_stretch(data: st.DataObject, rows: list[Spans]) -> None:
    spans, *arrays = laid_out(rows)
    firsts, counts = ([data.draw(st.integers(0, 6)) for _ in rows] for _ in range(2))
    starts, lengths, bounds = units.stretch(*arrays, integers(firsts), integers(counts))
    expected = [
        merged(row[first : first + count])
        for row, first, count in zip(spans, firsts, counts, strict=True)
    ]
    assert list(zip(starts.tolist(), lengths.tolist(), strict=True)) == joined(expected)
    assert bounds.tolist() == row_offsets([len(row) for row in expected]).tolist()


@given(st.lists(st.lists(st.sampled_from("cvo"), max_size=9), max_size=5))
def test_distances_to_the_nearest_visible_token(rows: list[list[str]]) -> None:
    """Rows of (c)hosen, (v)isible and (o)utside tokens."""
    tokens, offsets = np.array(joined(rows)), row_offsets([len(row) for row in rows])

    def nearest(row: list[str], i: int, step: int) -> int:
        at = i
        while 0 <= at < len(row) and row[at] == "c":
            at += step
        return abs(at - i) if 0 <= at < len(row) and row[at] == "v" else 0

    both = units.distances(*(readonly(tokens == kind, np.bool_) for kind in "co"), offsets)
    for step, side in zip((-1, 1), both, strict=True):
        assert side.tolist() == [nearest(row, i, step) for row in rows for i in range(len(row))]
