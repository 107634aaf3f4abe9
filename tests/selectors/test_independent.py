"""Tests of the selector ``independent``."""

from __future__ import annotations

import numpy as np
from scipy import stats

from maskplug.selectors import Independent
from support.batches import fits, likely, masks

N = 20_000


def test_counts_are_binomial() -> None:
    counts = masks(Independent(0.3, always_one=False), N, 8).sum(axis=1)
    assert fits(np.bincount(counts, minlength=9), stats.binom.pmf(np.arange(9), 8, 0.3))


def test_always_one_adds_a_uniform_unit_to_empty_rows() -> None:
    with_one, without = (masks(Independent(0.1, always_one=one), N, 5) for one in (True, False))
    empty = ~without.any(axis=1)
    assert likely(empty.sum(), N, 0.9**5)
    assert (with_one[~empty] == without[~empty]).all()
    assert (with_one[empty].sum(axis=1) == 1).all()
    assert fits(with_one[empty].sum(axis=0), np.ones(5))


def test_leave_one_removes_a_uniform_unit_from_full_rows() -> None:
    with_one, without = (masks(Independent(0.9, leave_one=leave), N, 5) for leave in (True, False))
    full = without.all(axis=1)
    assert likely(full.sum(), N, 0.9**5)
    assert (with_one[~full] == without[~full]).all()
    assert fits((~with_one[full]).sum(axis=0), np.ones(5))


def test_leave_one_wins_over_always_one_in_rows_of_one_unit() -> None:
    assert not masks(Independent(0.5, always_one=True, leave_one=True), 50, 1).any()
