"""The selecting kernels match the scalar reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import maskplug
from maskplug import Rng, Selector
from maskplug.kernels import select
from maskplug.replacements import Switch
from maskplug.selectors import Switches, UniformCount
from maskplug.types import readonly
from support import reference as ref
from support import reference_denoising as denoising_ref
from support.batches import batch, ragged, seeds
from support.cases import RICH
from support.denoising import DICTIONARY, WORDS, ordinary, units_of
from support.flat import flat, integers, joined, row_offsets, stream_keys

keys = st.integers(0, 2**64 - 1)
rows = st.lists(st.tuples(keys, st.integers(0, 30), st.floats(0, 1)), max_size=6)
token_or_word = st.sampled_from(["token", "word"])

Row = tuple[int, int, float]


def arrays(drawn: list[Row]) -> tuple[Any, Any]:
    """Return the keys and the row offsets."""
    return stream_keys([key for key, _, _ in drawn]), row_offsets([count for _, count, _ in drawn])


def rounded(drawn: list[Row]) -> list[int]:
    """Return a budget per row."""
    return [round(rate * count) for _, count, rate in drawn]


@given(rows, st.booleans(), st.booleans())
def test_independent(drawn: list[Row], one: bool, leave: bool) -> None:
    limits = [ref.threshold(rate) for _, _, rate in drawn]
    chosen = select.independent(*arrays(drawn), stream_keys(limits), one, leave, 0)
    expected = [
        ref.independent(ref.words(key, count), limit, one, leave)
        for (key, count, _), limit in zip(drawn, limits, strict=True)
    ]
    assert chosen.tolist() == joined(expected)


@given(rows)
def test_exact(drawn: list[Row]) -> None:
    budgets = rounded(drawn)
    chosen = select.exact(*arrays(drawn), integers(budgets))
    expected = [
        ref.exact(ref.words(key, count), wanted)
        for (key, count, _), wanted in zip(drawn, budgets, strict=True)
    ]
    assert chosen.tolist() == joined(expected)
    assert [sum(row) for row in expected] == budgets


@given(rows)
def test_exact_units(drawn: list[Row]) -> None:
    budgets = integers(rounded(drawn))
    row_keys, offsets = arrays(drawn)
    lengths = integers(np.arange(offsets[-1]) % 3 + 1)
    starts = integers(np.cumsum(lengths))
    chosen = np.flatnonzero(select.exact(row_keys, offsets, budgets))
    units = select.exact_units(row_keys, starts, lengths, offsets, budgets)
    assert units[0].tolist() == starts[chosen].tolist()
    assert units[1].tolist() == lengths[chosen].tolist()
    assert units[2].tolist() == row_offsets(budgets).tolist()


def test_exact_selects_all_if_the_budget_is_larger() -> None:
    row_keys, offsets, budgets = stream_keys([5, 6]), row_offsets([2, 3]), integers([9, 1])
    places = integers(range(5))
    assert select.exact(row_keys, offsets, budgets).sum() == 3
    units = select.exact_units(row_keys, places, places, offsets, budgets)
    assert units[2].tolist() == [0, 2, 3]


@given(rows, st.integers(0, 2**32))
def test_exact_tokens(drawn: list[Row], seed: int) -> None:
    row_keys, offsets = arrays(drawn)
    budget_keys = stream_keys(~row_keys)
    ids = integers(np.random.default_rng(seed).integers(0, 5, offsets[-1]))
    special = readonly([True, False, False, True, False], np.bool_)
    rates = readonly([rate for _, _, rate in drawn], np.float64)
    free = integers(np.flatnonzero(~special[ids]))
    units = integers(np.searchsorted(free, offsets))
    budgets = select.budgets(budget_keys, integers(np.diff(units)), rates)
    expected = select.exact_units(row_keys, free, free, units, readonly(budgets, np.int64))
    starts, rows = select.exact_tokens(ids, special, offsets, budget_keys, rates, row_keys)
    assert starts.tolist() == expected[0].tolist()
    assert rows.tolist() == expected[2].tolist()


@given(st.lists(st.tuples(keys, st.lists(st.integers(1, 6), max_size=20), st.floats(0, 1))))
def test_words_to_budget(drawn: list[tuple[int, list[int], float]]) -> None:
    budgets = [round(rate * sum(lengths)) for _, lengths, rate in drawn]
    row_keys = stream_keys([key for key, _, _ in drawn])
    words = flat([lengths for _, lengths, _ in drawn])
    chosen = select.words_to_budget(row_keys, *words, integers(budgets))
    expected = [
        ref.words_to_budget(ref.words(key, len(n)), ref.words(key, 1, 1)[0], n, budget)
        for (key, n, _), budget in zip(drawn, budgets, strict=True)
    ]
    assert chosen.tolist() == joined(expected)


@pytest.mark.parametrize("bound", [1, 2, 7, 2**31, 2**32])
@pytest.mark.parametrize("word", [0, 1, 2**31, 2**32 - 1])
def test_below_is_below_the_bound(word: int, bound: int) -> None:
    number = select.below(np.uint32(word), bound)
    assert number == ref.below(word, bound)
    assert 0 <= number < bound


def check_switched(
    selector: Selector, rows: list[list[int]], seed: int, unit: str, draw: Any
) -> None:
    tokens = batch(rows)
    rng = Rng.at(seed, 2, tokens.keys)
    selection = selector.select(tokens, RICH, rng)
    switched = Switch().replace(tokens, selection, RICH, rng).to_lists()
    for i, row in enumerate(rows):
        units, sample = units_of(row, unit), ref.Sample(seed, 2, i)
        hit = draw(sample, len(units))
        chosen = [p for unit, taken in zip(units, hit, strict=True) if taken for p in unit]
        mask = selection.mask[tokens.offsets[i] : tokens.offsets[i + 1]]
        assert mask.nonzero()[0].tolist() == chosen
        assert switched[i] == denoising_ref.switched(sample, row, chosen, ordinary())


@given(ragged(), seeds, st.floats(0, 3), token_or_word)
def test_switches_and_switch(rows: list[list[int]], seed: int, tau: float, unit: Any) -> None:
    def draw(sample: ref.Sample, units: int) -> Any:
        return denoising_ref.switches(sample, units, tau) if units else []

    check_switched(Switches(tau, unit), rows, seed, unit, draw)


@given(ragged(), seeds, token_or_word)
def test_uniform_count(rows: list[list[int]], seed: int, unit: Any) -> None:
    check_switched(UniformCount(unit), rows, seed, unit, denoising_ref.uniform_count)


@given(ragged(), seeds, st.floats(0, 1), token_or_word)
def test_code_switch(rows: list[list[int]], seed: int, rate: float, unit: Any) -> None:
    strategy = maskplug.strategy("code_switch", dictionary=str(DICTIONARY), rate=rate, unit=unit)
    inputs = strategy(batch(rows), RICH, seed=seed, epoch=2).inputs.to_lists()
    for i, row in enumerate(rows):
        sample, units = ref.Sample(seed, 2, i), units_of(row, unit)
        assert inputs[i] == denoising_ref.code_switched(sample, row, units, WORDS, rate)
