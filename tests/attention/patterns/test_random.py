"""random: number and distribution of hidden keys."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from scipy import stats

import maskplug
from maskplug.errors import MaskplugWarning
from support.batches import fits, likely

N = 20_000


def seen(text: str, length: int = 6, samples: int = N, **more: Any) -> Any:
    """Which keys are seen: bool of shape (samples, heads, length)."""
    pattern = maskplug.pattern(text)
    return pattern.dense(1, length, keys=range(samples), attention_kind="cross", **more)[:, :, 0]


def test_numbers_of_hidden_keys_are_binomial() -> None:
    hidden = (~seen("random:rate=0.6")).sum(-1)[:, 0]
    law = stats.binom.pmf(np.arange(7), 6, 0.6)
    assert fits(np.bincount(hidden, minlength=6), [*law[:5], law[5] + law[6]])


def test_all_positions_are_equally_likely() -> None:
    hidden = ~seen("random:rate=0.3")[:, 0]
    assert fits(hidden.sum(0), np.ones(6))
    assert likely(hidden[:, 0].sum(), N, 0.3)  # all six at once: less than 1 in 1,000


def test_neighbours_are_independent() -> None:
    hidden = ~seen("random:rate=0.3")[:, 0]
    both = hidden[:, 0] & hidden[:, 1]
    assert likely(both.sum(), N, 0.09)


def test_heads_are_independent() -> None:
    hidden = ~seen("random:rate=0.3,per_head=true", heads=2)
    assert likely((hidden[:, 0, 2] & hidden[:, 1, 2]).sum(), N, 0.09)


def test_the_key_with_the_highest_random_number_stays() -> None:
    stays = seen("random:rate=1.0", length=5, seed=3, t=2)[:, 0]
    assert (stays.sum(-1) == 1).all()
    assert fits(stays.sum(0), np.ones(5))
    words = maskplug.Rng.at(3, 2, range(N)).bits("hidden keys", [5] * N).reshape(N, 5)
    assert (stays.argmax(-1) == words.argmax(-1)).all()


def test_rates_zero_and_one() -> None:
    assert seen("random:rate=0.0", samples=50).all()
    assert seen("random:rate=1.0", length=1, samples=50).all()
    assert maskplug.pattern("random").dense(0).shape == (1, 1, 0, 0)


def test_a_rising_rate_only_hides_more_keys() -> None:
    text = "random(rate=linear(0.0, 1.0), clock=never)"
    rates = [seen(text, samples=500, progress=p) for p in (0.0, 0.25, 0.5, 1.0)]
    assert rates[0].all()
    for lower, higher in itertools.pairwise(rates):
        assert (lower | ~higher).all()
        assert (lower != higher).any()
    assert (rates[-1].sum(-1) == 1).all()


def test_keys_are_hidden_from_all_queries() -> None:
    valid = [0, 0, 1, 1, 1, 1, 0]
    mask = maskplug.pattern("random:rate=0.9").dense(7, keys=range(60), valid=valid)[:, 0]
    assert (mask == mask[:, :1]).all()
    assert mask[:, :, [0, 1, 6]].all()
    assert not mask[:, :, 2:6].all()
    both = maskplug.pattern("random:rate=0.9 & padding").dense(7, keys=range(60), valid=valid)
    assert both.any(-1).all()
    assert not both[..., [0, 1, 6]].any()


def test_needs_one_interval_and_a_key_vector() -> None:
    rows = maskplug.pattern("random:rate=0.5").intervals(64, keys=[1])
    assert rows.lo.shape == (1, 1, 64, 1)
    assert rows.keys is not None
    assert rows.keys.shape == (1, 1, 64)


def test_hidden_keys_do_not_depend_on_later_tokens() -> None:
    longer = seen("random:rate=0.2", length=12, samples=300)[..., :9]
    shorter = seen("random:rate=0.2", length=9, samples=300)
    assert (longer == shorter).all()


def test_combinations_can_have_empty_rows() -> None:
    pattern = maskplug.pattern("random:rate=0.9 & window:left=0")
    with pytest.warns(MaskplugWarning, match="hides every key from"):
        pattern.dense(8, keys=[1])
    assert pattern.dense(8, keys=[1], fallback="self")[0, 0].diagonal().all()
