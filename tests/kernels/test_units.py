"""Unit kernels match their definition in numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskplug.kernels import units
from maskplug.types import offsets_of, readonly
from maskplug.units import NO_IDS
from maskplug.vocabulary.words import token_codes

SPECIAL = np.array([True, False, False, True, False])
batches = st.lists(st.lists(st.integers(0, len(SPECIAL) - 1), max_size=9), max_size=6)


@given(batches)
def test_token_units_are_ordinary_tokens(rows: list[list[int]]) -> None:
    ids = np.array([i for row in rows for i in row], np.int64)
    offsets = offsets_of([len(row) for row in rows])
    free = np.empty(len(ids), np.bool_)
    units.ordinary_tokens(ids, SPECIAL, free)
    assert free.tolist() == (~SPECIAL[ids]).tolist()
    places = np.flatnonzero(free)
    counts = np.diff(np.searchsorted(places, offsets))
    assert units.ordinary_counts(ids, SPECIAL, offsets).tolist() == counts.tolist()
    for result in (
        units.token_units(ids, SPECIAL, offsets, starts := np.empty(len(ids), np.int64)),
        units.single_units(free, offsets, others := np.empty(len(ids), np.int64)),
    ):
        assert result.tolist() == np.searchsorted(places, offsets).tolist()
    assert starts[: len(places)].tolist() == others[: len(places)].tolist() == places.tolist()


@given(batches)
def test_take_units(rows: list[list[int]]) -> None:
    lengths = np.array([i for row in rows for i in row], np.int64)
    offsets = offsets_of([len(row) for row in rows])
    starts = np.cumsum(lengths)
    chosen = lengths % 2 == 0
    got = units.take_units(chosen, starts, lengths, offsets)
    assert got[0].tolist() == starts[chosen].tolist()
    assert got[1].tolist() == lengths[chosen].tolist()
    assert got[2].tolist() == np.searchsorted(np.flatnonzero(chosen), offsets).tolist()


@given(st.lists(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=9), max_size=6))
def test_word_units_are_runs_cut_at_word_starts(rows: list[list[tuple[bool, bool]]]) -> None:
    flat = [token for row in rows for token in row]
    maskable, begins = (np.array([t[i] for t in flat], np.bool_) for i in (0, 1))
    offsets = offsets_of([len(row) for row in rows])
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
    starts, lengths = np.empty((2, len(flat) + 1), np.int64)
    codes = token_codes(maskable, begins)
    result = units.word_units(NO_IDS, codes, offsets, starts, lengths)
    assert result.tolist() == [0, *counts]
    got = np.stack((starts, lengths), 1)[: len(expected)]
    assert got.tolist() == expected


@given(st.lists(st.lists(st.integers(0, 5), max_size=9), max_size=6))
def test_word_units_by_id_and_by_token_agree(rows: list[list[int]]) -> None:
    codes = token_codes(*np.array([[0, 1, 1, 1, 1, 0], [0, 0, 1, 0, 1, 0]], np.bool_))
    flat = np.array([token for row in rows for token in row], np.int64)
    offsets = offsets_of([len(row) for row in rows])
    by_id, by_token = np.zeros((2, 2, len(flat) + 1), np.int64)
    result = units.word_units(flat, codes, offsets, *by_id)
    assert (
        result.tolist()
        == units.word_units(NO_IDS, readonly(codes[flat], np.uint32), offsets, *by_token).tolist()
    )
    assert by_id[:, : result[-1]].tolist() == by_token[:, : result[-1]].tolist()


@pytest.mark.parametrize(
    ("ids", "result"), [([], False), ([0, 4], False), ([2, 5], True), ([-1], True), ([2**62], True)]
)
def test_outside(ids: list[int], result: bool) -> None:
    assert units.outside(np.array(ids, np.int64), 5) == result


@pytest.mark.parametrize(
    ("offsets", "rises"),
    [
        ([], False),
        ([0], False),
        ([0, 3], True),
        ([0, 2, 2, 3], True),
        ([0, 2, 1, 3], False),
        ([1, 3], False),
        ([0, 4], False),
        ([0, 4, 3], False),
    ],
)
def test_rising(offsets: list[int], rises: bool) -> None:
    assert units.rising(np.array(offsets, np.int64), 3) == rises


@given(st.lists(st.lists(st.integers(0, 12), max_size=4), max_size=6), st.integers(0, 3))
def test_exceeding_row(rows: list[list[int]], first: int) -> None:
    lengths = np.array([n for row in rows for n in row], np.int64)
    sizes = [sum(row) + 3 * i for i, row in enumerate(rows)]
    rates = np.linspace(0.1, 0.6, len(rows))
    longest = [max(row, default=0) for row in rows]
    expected = [
        i
        for i in range(first, len(rows))
        if longest[i] >= 8 and longest[i] > 2 * rates[i] * sizes[i]
    ]
    spans = offsets_of([len(row) for row in rows])
    row = units.exceeding_row(
        lengths, spans, offsets_of(sizes), readonly(rates, np.float64), 8, first
    )
    assert row == (expected[0] if expected else -1)
