"""random: number and distribution of hidden keys."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from scipy import stats

import maskplug
from support.batches import fits, likely

N = 20_000


def visible(text: str, length: int = 6, samples: int = N, **more: Any) -> Any:
    """Return the visible keys: bool of shape (samples, heads, length)."""
    pattern = maskplug.pattern(text)
    return pattern.dense(1, length, keys=range(samples), attention_kind="cross", **more)[:, :, 0]


def test_numbers_of_hidden_keys_are_binomial() -> None:
    hidden = (~visible("random:rate=0.6")).sum(-1)[:, 0]
    law = stats.binom.pmf(np.arange(7), 6, 0.6)
    assert fits(np.bincount(hidden, minlength=6), [*law[:5], law[5] + law[6]])


def test_all_positions_are_equally_likely() -> None:
    hidden = ~visible("random:rate=0.3")[:, 0]
    assert fits(hidden.sum(0), np.ones(6))
    assert likely(hidden[:, 0].sum(), N, 0.3)  # all six at once: less than 1 in 1,000


def test_neighbours_are_independent() -> None:
    hidden = ~visible("random:rate=0.3")[:, 0]
    both = hidden[:, 0] & hidden[:, 1]
    assert likely(both.sum(), N, 0.09)


def test_heads_are_independent() -> None:
    hidden = ~visible("random:rate=0.3,per_head=true", heads=2)
    assert likely((hidden[:, 0, 2] & hidden[:, 1, 2]).sum(), N, 0.09)


def test_the_key_with_the_highest_random_number_stays() -> None:
    stays = visible("random:rate=1.0", length=5, seed=3, t=2)[:, 0]
    assert (stays.sum(-1) == 1).all()
    assert fits(stays.sum(0), np.ones(5))
    words = maskplug.Rng.at(3, 2, range(N)).bits("hidden keys", [5] * N).reshape(N, 5)
    assert (stays.argmax(-1) == words.argmax(-1)).all()


def test_a_rising_rate_only_hides_more_keys() -> None:
    text = "random(rate=linear(0.0, 1.0), clock=never)"
    rates = [visible(text, samples=500, progress=p) for p in (0.0, 0.25, 0.5, 1.0)]
    assert rates[0].all()
    for lower, higher in itertools.pairwise(rates):
        assert (lower | ~higher).all()
        assert (lower != higher).any()
    assert (rates[-1].sum(-1) == 1).all()


def test_needs_one_interval_and_a_key_vector() -> None:
    rows = maskplug.pattern("random:rate=0.5").intervals(64, keys=[1])
    assert rows.lo.shape == (1, 1, 64, 1)
    assert rows.keys is not None
    assert rows.keys.shape == (1, 1, 64)
