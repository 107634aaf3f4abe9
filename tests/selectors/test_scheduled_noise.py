"""Tests of the selector ``scheduled_noise`` and of its noise schedules."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest
from scipy import stats

from maskplug import Rng
from maskplug.selectors import ScheduledNoise
from maskplug.selectors.scheduled_noise import NoiseSchedule, masked, weight
from support import reference_diffusion as diffusion_ref
from support.batches import VOCAB, equal_rows

N = 20_000
each_schedule = pytest.mark.parametrize("schedule", get_args(NoiseSchedule))
LEVELS = np.linspace(1e-3, 1.0, 400)[:-1]


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


@each_schedule
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


@each_schedule
@pytest.mark.parametrize("eps", [0.0, 1e-3, 0.3])
def test_weight_is_derivative_over_rate(schedule: NoiseSchedule, eps: float) -> None:
    h = 1e-6
    rise = masked(schedule, LEVELS + h, eps) - masked(schedule, LEVELS - h, eps)
    expected = rise / (2 * h) / masked(schedule, LEVELS, eps)
    np.testing.assert_allclose(weight(schedule, LEVELS), expected, rtol=1e-5, atol=1e-6)


@each_schedule
def test_rates_rise_from_zero_to_one(schedule: NoiseSchedule) -> None:
    rates = masked(schedule, np.linspace(0, 1, 1001), 1e-3)
    assert (np.diff(rates) > 0).all()
    assert 0 <= rates[0] <= 1e-3
    assert 0.9985 < rates[-1] <= 1


@each_schedule
def test_mean_of_rate_times_weight_is_the_rise(schedule: NoiseSchedule) -> None:
    t = np.linspace(1e-3, 1, 200_001)
    product = masked(schedule, t, 1e-3) * weight(schedule, t)
    rise = masked(schedule, t[-1:], 1e-3) - masked(schedule, t[:1], 1e-3)
    assert np.trapezoid(product, t) == pytest.approx(rise[0], rel=1e-6)


@each_schedule
def test_matches_reference(schedule: NoiseSchedule) -> None:
    for t in LEVELS[::20]:
        expected = diffusion_ref.SCHEDULES[schedule](t, 1e-3)
        got = masked(schedule, np.array([t]), 1e-3)[0], weight(schedule, np.array([t]))[0]
        assert got == pytest.approx(expected, rel=1e-12)


def test_log_linear_weight_is_one_over_t() -> None:
    assert (weight("log_linear", LEVELS) == 1 / LEVELS).all()


def test_cosine_schedules_match_the_paper() -> None:
    visible = 1e-3 + (1 - 1e-3) * np.cos(np.pi / 2 * LEVELS)
    np.testing.assert_allclose(masked("cosine", LEVELS, 1e-3), 1 - visible, atol=1e-15)
    visible = 1e-3 + (1 - 1e-3) * np.cos(np.pi / 2 * LEVELS) ** 2
    np.testing.assert_allclose(masked("cosine_squared", LEVELS, 1e-3), 1 - visible, atol=1e-15)
