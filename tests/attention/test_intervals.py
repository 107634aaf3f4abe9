"""Intervals match matrices, for all axes, keys and steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskplug.attention import Intervals


@st.composite
def forms(draw: st.DrawFn, queries: int, keys: int) -> Intervals:
    """Intervals with axes of one or more, with or without keys and a step."""
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    axes = draw(st.sampled_from([1, 2])), draw(st.sampled_from([1, 3]))
    k = draw(st.integers(1, 4))
    lo = rng.integers(-3, keys + 3, (*axes, queries, k))
    result = Intervals.of(keys, lo, lo + rng.integers(-1, 5, lo.shape))
    if draw(st.booleans()):
        which = draw(st.sampled_from([1, 2])), draw(st.sampled_from([1, 3]))
        result = result.only(rng.random((*which, keys)) < 0.7)
    if draw(st.booleans()):
        batch = draw(st.sampled_from([1, 2]))
        result = result.every(draw(st.integers(1, 4)), rng.integers(-4, 9, (batch, 1, queries)))
    return result


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Intervals, Intervals]:
    queries, keys = draw(st.integers(0, 5)), draw(st.integers(0, 12))
    return draw(forms(queries, keys)), draw(forms(queries, keys))


def canonical(form: Intervals) -> bool:
    used = form.lo < form.hi
    apart = (form.lo[..., 1:] > form.hi[..., :-1]) | ~used[..., 1:]
    rest = (form.lo[~used] == form.n_keys).all() and (form.hi[~used] == form.n_keys).all()
    return bool((used[..., :-1] >= used[..., 1:]).all() and apart.all() and rest)


@given(pairs())
def test_operators_match_matrices(both: tuple[Intervals, Intervals]) -> None:
    a, b = both
    x, y = a.dense(), b.dense()
    for result, expected in ((a & b, x & y), (a | b, x | y), (~a, ~x), (a.expanded(), x)):
        assert (result.dense() == expected).all()
        assert (result.counts == expected.sum(-1)).all()
        assert canonical(result)
        assert result.lo.flags.c_contiguous
        assert not result.lo.flags.writeable


@given(pairs())
def test_step_and_keys_are_kept_if_possible(both: tuple[Intervals, Intervals]) -> None:
    a, b = both
    result = a & b
    assert result.lo.shape[-1] <= max(a.lo.shape[-1] + b.expanded().lo.shape[-1], 1)
    if a.phase is None or b.phase is None:
        assert result.step == max(a.step, b.step)


def test_steps_with_the_same_phase_combine() -> None:
    phase = np.arange(30)[None, None]
    every = Intervals.of(30, np.zeros((1, 1, 30, 1)), np.full((1, 1, 30, 1), 30))
    result = every.every(4, phase) & every.every(6, phase)
    assert result.step == 12
    assert (result.dense() == (every.every(4, phase).dense() & every.every(6, phase).dense())).all()


@given(st.integers(0, 2**32 - 1), st.integers(0, 40), st.floats(0, 1))
def test_matrices_round_trip(seed: int, keys: int, share: float) -> None:
    mask = np.random.default_rng(seed).random((2, 3, 4, keys)) < share
    result = Intervals.of_mask(mask)
    assert (result.dense() == mask).all()
    assert canonical(result)


def test_many_runs() -> None:
    mask = np.tile([True, False], 40)[None, None, None]
    assert len(Intervals.of_mask(mask).to_lists()[0][0][0]) == 40
    assert Intervals.of_mask(~mask).lo.shape[-1] == 40


@pytest.mark.parametrize(
    ("lo", "hi", "expected"),
    [
        ([3, 0], [5, 3], [(0, 5)]),  # they touch
        ([4, 1, 2], [6, 2, 4], [(1, 6)]),
        ([5, 5], [5, 4], []),
        ([-9], [99], [(0, 8)]),
        ([8], [9], []),
        ([0, 2, 4, 6], [1, 3, 5, 7], [(0, 1), (2, 3), (4, 5), (6, 7)]),
    ],
)
def test_intervals_are_sorted_and_merged(lo: list[int], hi: list[int], expected: list[Any]) -> None:
    assert Intervals.of(8, [[[lo]]], [[[hi]]]).to_lists() == [[[expected]]]


def test_arguments_are_not_modified() -> None:
    lo, hi = np.array([[[[5, 0]]]]), np.array([[[[9, 2]]]])
    kept = lo.copy(), hi.copy()
    result = Intervals.of(7, lo, hi)
    result.only(np.zeros((1, 1, 7), np.bool_))
    assert (lo == kept[0]).all()
    assert (hi == kept[1]).all()
    assert lo.flags.writeable


def test_different_numbers_of_keys_are_refused() -> None:
    with pytest.raises(ValueError, match="masks of 3 and of 4 keys"):
        Intervals.of_mask(np.ones((1, 1, 1, 3))) & Intervals.of_mask(np.ones((1, 1, 1, 4)))
