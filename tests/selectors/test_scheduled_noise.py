"""Tests of the selector ``scheduled_noise``."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest
from scipy import stats

from maskplug import Rng
from maskplug.selectors import ScheduledNoise
from maskplug.selectors.scheduled_noise import NoiseSchedule, masked
from support.batches import VOCAB, equal_rows

N = 20_000


def shares(selector: ScheduledNoise, keys: Any, t: Any) -> Any:
    """Return the levels as shares of their range."""
    return (selector.times(Rng.at(11, t, keys)) - 1e-3) / (1 - 1e-3)


@pytest.mark.parametrize("antithetic", [True, False])
@pytest.mark.parametrize("t", [0, 1, 7, 10**6])
def test_levels_are_uniform_over_keys_at_each_time(antithetic: bool, t: int) -> None:
    got = shares(ScheduledNoise(antithetic=antithetic), range(N), t)
    assert stats.kstest(got, "uniform").pvalue > 1e-4


@pytest.mark.parametrize("antithetic", [True, False])
def test_levels_of_neighbouring_keys_are_independent(antithetic: bool) -> None:
    got = shares(ScheduledNoise(antithetic=antithetic), range(N), 3)
    assert stats.pearsonr(got[:-1], got[1:]).pvalue > 1e-4


def widest_gap(points: Any) -> float:
    """Return the widest gap between points on a circle of length 1."""
    ordered = np.sort(points)
    return float(np.diff(ordered, append=ordered[0] + 1).max())


@pytest.mark.parametrize("visits", [2, 5, 20, 100, 500])
@pytest.mark.parametrize("first", [0, 3, 1000])
def test_antithetic_levels_are_spread_over_times(visits: int, first: int) -> None:
    times = first + np.arange(visits)

    def gaps(selector: ScheduledNoise) -> list[float]:
        return [widest_gap(shares(selector, [key] * visits, times)) for key in range(20)]

    even = gaps(ScheduledNoise())
    # Three-gap theorem: n points of the golden rotation leave no gap of 2 / n or more.
    assert max(even) < 2 / visits
    assert np.mean(gaps(ScheduledNoise(antithetic=False))) > 1.1 * max(even)


def test_levels_are_within_range() -> None:
    for antithetic in (True, False):
        got = ScheduledNoise(antithetic=antithetic).times(Rng.at(1, 4, range(N)))
        assert got.min() >= 1e-3
        assert got.min() < 2e-3
        assert 0.999 < got.max() < 1


@pytest.mark.parametrize("schedule", get_args(NoiseSchedule))
@pytest.mark.parametrize("antithetic", [True, False])
def test_weights_are_unbiased(schedule: NoiseSchedule, antithetic: bool) -> None:
    selector = ScheduledNoise(schedule, antithetic=antithetic)
    tokens = equal_rows(5 * N, 8)
    rng = Rng.at(11, 2, tokens.keys)
    mask = selector.select(tokens, VOCAB, rng).mask
    rows = (mask * selector.weights(tokens, VOCAB, rng)).reshape(-1, 8).mean(axis=1)
    ends = masked(schedule, np.array([1e-3, 1.0]), 1e-3)
    expected = (ends[1] - ends[0]) / (1 - 1e-3)
    assert abs(rows.mean() - expected) <= 4 * rows.std() / len(rows) ** 0.5
