"""Tests of the selector ``independent``."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

import maskplug
from maskplug.selectors import Independent
from support.batches import VOCAB, equal_rows, fits, likely

N = 20_000


def mask(selector: Independent, samples: int, length: int) -> Any:
    tokens = equal_rows(samples, length)
    selection = selector.select(tokens, VOCAB, maskplug.Rng.at(3, 0, tokens.keys))
    return selection.mask.reshape(samples, length)


def test_counts_are_binomial() -> None:
    counts = mask(Independent(0.3, always_one=False), N, 8).sum(axis=1)
    assert fits(np.bincount(counts, minlength=9), stats.binom.pmf(np.arange(9), 8, 0.3))


def test_tokens_of_a_word_are_selected_together() -> None:
    chosen = mask(Independent(0.3, unit="word", always_one=False), N, 8)
    assert chosen[:, 1].sum() > 0
    # The words of ORDINARY are 5, 6 7, 8 9, 10 11, …
    assert (chosen[:, 1:7:2] == chosen[:, 2:8:2]).all()
    assert likely(chosen[:, 0].sum(), N, 0.3)
    assert likely((chosen[:, 0] == chosen[:, 1]).sum(), N, 0.3**2 + 0.7**2)


def test_always_one_adds_a_uniform_unit_to_empty_rows() -> None:
    with_one, without = (mask(Independent(0.1, always_one=one), N, 5) for one in (True, False))
    empty = ~without.any(axis=1)
    assert likely(empty.sum(), N, 0.9**5)
    assert (with_one[~empty] == without[~empty]).all()
    assert (with_one[empty].sum(axis=1) == 1).all()
    assert fits(with_one[empty].sum(axis=0), np.ones(5))


def test_leave_one_removes_a_uniform_unit_from_full_rows() -> None:
    with_one, without = (mask(Independent(0.9, leave_one=leave), N, 5) for leave in (True, False))
    full = without.all(axis=1)
    assert likely(full.sum(), N, 0.9**5)
    assert (with_one[~full] == without[~full]).all()
    assert fits((~with_one[full]).sum(axis=0), np.ones(5))


def test_leave_one_wins_over_always_one_in_rows_of_one_unit() -> None:
    assert not mask(Independent(0.5, always_one=True, leave_one=True), 50, 1).any()
