"""The selecting kernels match the scalar reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskplug.kernels import select
from support import reference as ref

keys = st.integers(0, 2**64 - 1)
rows = st.lists(st.tuples(keys, st.integers(0, 30), st.floats(0, 1)), max_size=6)


def offsets_of(counts: list[int]) -> Any:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def uint(values: list[int]) -> Any:
    return np.array(values, np.uint64)


def joined(parts: list[list[bool]]) -> list[bool]:
    return [value for part in parts for value in part]


@given(rows, st.booleans(), st.booleans())
def test_independent(drawn: list[tuple[int, int, float]], one: bool, leave: bool) -> None:
    limits = [ref.threshold(rate) for _, _, rate in drawn]
    got = select.independent(
        uint([key for key, _, _ in drawn]),
        offsets_of([count for _, count, _ in drawn]),
        uint(limits),
        one,
        leave,
        0,
    )
    expected = [
        ref.independent(ref.words(key, count), limit, one, leave)
        for (key, count, _), limit in zip(drawn, limits, strict=True)
    ]
    assert got.tolist() == joined(expected)


@given(rows)
def test_exact(drawn: list[tuple[int, int, float]]) -> None:
    budgets = [round(rate * count) for _, count, rate in drawn]
    offsets = offsets_of([count for _, count, _ in drawn])
    got = select.exact(uint([key for key, _, _ in drawn]), offsets, np.array(budgets, np.int64))
    expected = [
        ref.exact(ref.words(key, count), wanted)
        for (key, count, _), wanted in zip(drawn, budgets, strict=True)
    ]
    assert got.tolist() == joined(expected)
    assert [sum(row) for row in expected] == budgets


@given(rows)
def test_exact_units(drawn: list[tuple[int, int, float]]) -> None:
    budgets = np.array([round(rate * count) for _, count, rate in drawn], np.int64)
    offsets = offsets_of([count for _, count, _ in drawn])
    lengths = np.arange(offsets[-1]) % 3 + 1
    starts = np.cumsum(lengths)
    stream_keys = uint([key for key, _, _ in drawn])
    chosen = np.flatnonzero(select.exact(stream_keys, offsets, budgets))
    got = select.exact_units(stream_keys, starts, lengths, offsets, budgets)
    assert got[0].tolist() == starts[chosen].tolist()
    assert got[1].tolist() == lengths[chosen].tolist()
    assert got[2].tolist() == offsets_of(budgets.tolist()).tolist()


def test_exact_selects_all_if_the_budget_is_larger() -> None:
    stream_keys, offsets = uint([5, 6]), offsets_of([2, 3])
    budgets, places = np.array([9, 1], np.int64), np.arange(5)
    assert select.exact(stream_keys, offsets, budgets).sum() == 3
    assert select.exact_units(stream_keys, places, places, offsets, budgets)[2].tolist() == [
        0,
        2,
        3,
    ]


@given(rows, st.integers(0, 2**32))
def test_exact_tokens(drawn: list[tuple[int, int, float]], seed: int) -> None:
    offsets = offsets_of([count for _, count, _ in drawn])
    ids = np.random.default_rng(seed).integers(0, 5, offsets[-1])
    special = np.array([True, False, False, True, False])
    rates = np.array([rate for _, _, rate in drawn], np.float64)
    stream_keys = uint([key for key, _, _ in drawn])
    free = np.flatnonzero(~special[ids])
    units = np.searchsorted(free, offsets)
    budgets = select.budgets(~stream_keys, np.diff(units), rates)
    expected = select.exact_units(stream_keys, free, free, units, budgets)
    starts, row_offsets = select.exact_tokens(
        ids, special, offsets, ~stream_keys, rates, stream_keys
    )
    assert starts.tolist() == expected[0].tolist()
    assert row_offsets.tolist() == expected[2].tolist()


@given(st.lists(st.tuples(keys, st.lists(st.integers(1, 6), max_size=20), st.floats(0, 1))))
def test_words_to_budget(drawn: list[tuple[int, list[int], float]]) -> None:
    budgets = [round(rate * sum(lengths)) for _, lengths, rate in drawn]
    got = select.words_to_budget(
        uint([key for key, _, _ in drawn]),
        np.array([n for _, lengths, _ in drawn for n in lengths], np.int64),
        offsets_of([len(lengths) for _, lengths, _ in drawn]),
        np.array(budgets, np.int64),
    )
    expected = [
        ref.words_to_budget(ref.words(key, len(n)), ref.words(key, 1, 1)[0], n, budget)
        for (key, n, _), budget in zip(drawn, budgets, strict=True)
    ]
    assert got.tolist() == joined(expected)


@pytest.mark.parametrize("bound", [1, 2, 7, 2**31, 2**32])
@pytest.mark.parametrize("word", [0, 1, 2**31, 2**32 - 1])
def test_below_is_below_the_bound(word: int, bound: int) -> None:
    got = select.below(np.uint32(word), bound)
    assert got == ref.below(word, bound)
    assert 0 <= got < bound
