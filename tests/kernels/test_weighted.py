"""The kernel ``weighted`` matches the scalar reference and its distribution."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise, permutations
from math import prod
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskplug.kernels import weighted
from support import reference_masked_lm as ref
from support.batches import fits
from support.flat import flat, integers, joined, stream_keys

keys = st.integers(0, 2**64 - 1)
weights = st.one_of(
    st.floats(0, 1e300), st.sampled_from([0.0, 0.0, 1.0, 1.0, 0.5, 3.0, 5e-324, 1e-12, 1.7e308])
)
rows = st.lists(st.tuples(keys, st.lists(weights, max_size=24), st.floats(0, 1)), max_size=5)


def drawn(row_keys: Any, row_weights: list[list[float]], budgets: list[int]) -> Any:
    values, offsets = flat(row_weights, np.float64)
    return weighted.weighted(stream_keys(row_keys), offsets, values, integers(budgets))


def alike(row: list[float], budget: int, samples: int = 20_000) -> Any:
    """Return the selected units of many rows with equal weights: bool[samples, len(row)]."""
    random = np.random.default_rng(1).integers(0, 2**64, samples, np.uint64)
    return drawn(random, [row] * samples, [budget] * samples).reshape(samples, len(row))


def subset_probs(row: list[float], budget: int) -> dict[tuple[int, ...], float]:
    """Return the exact probability of every subset."""
    total: Counter[tuple[int, ...]] = Counter()
    for order in permutations(range(len(row)), budget):
        left = [sum(row) - sum(row[i] for i in order[:j]) for j in range(budget)]
        p = prod(row[i] / rest for i, rest in zip(order, left, strict=True))
        total[tuple(sorted(order))] += p  # type: ignore[assignment]
    return dict(total)


@given(rows)
def test_weighted_matches_reference(rows: list[tuple[int, list[float], float]]) -> None:
    budgets = [round(share * len(row)) for _, row, share in rows]
    chosen = drawn([key for key, _, _ in rows], [row for _, row, _ in rows], budgets)
    expected = [
        ref.weighted(key, row, budget) for (key, row, _), budget in zip(rows, budgets, strict=True)
    ]
    assert chosen.tolist() == joined(expected)
    assert [sum(row) for row in expected] == budgets


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_high_product(a: int, b: int) -> None:
    assert int(weighted.high_product(np.uint64(a), np.uint64(b))) == a * b >> 64


@pytest.mark.parametrize("budget", [1, 2, 3])
@pytest.mark.parametrize("row", [[1.0, 2.0, 3.0, 4.0, 10.0], [0.1] * 5, [1e-3, 1e-3, 2e-3, 1e-3]])
def test_subsets_follow_their_distribution(row: list[float], budget: int) -> None:
    chosen = Counter(tuple(np.flatnonzero(one)) for one in alike(row, budget))
    expected = subset_probs(row, budget)
    assert set(chosen) <= set(expected)
    assert fits([chosen[subset] for subset in expected], list(expected.values()))


def test_weight_zero_is_selected_last() -> None:
    row = [0.0, 5.0, 0.0, 1e-30, 0.0]
    assert (alike(row, 2, 500) == [False, True, False, True, False]).all()
    chosen = alike(row, 3)
    assert chosen[:, [1, 3]].all()
    assert fits(chosen[:, [0, 2, 4]].sum(axis=0), np.ones(3))


def test_zero_weights_only_are_uniform() -> None:
    assert fits(alike([0.0] * 4, 1).sum(axis=0), np.ones(4))


def test_scale_of_weights_does_not_matter() -> None:
    row = [1.0, 2.0, 0.5, 8.0, 4.0]
    assert (alike(row, 2, 500) == alike([2.0**40 * w for w in row], 2, 500)).all()


def test_larger_budget_only_adds_units() -> None:
    row = [3.0, 1.0, 0.0, 2.0, 7.0, 1.0]
    chosen = [alike(row, budget, 200) for budget in range(7)]
    for fewer, more in pairwise(chosen):
        assert (more >= fewer).all()
