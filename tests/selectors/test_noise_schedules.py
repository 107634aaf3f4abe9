"""Tests of the noise schedules of masked diffusion."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from maskplug.selectors.scheduled_noise import NoiseSchedule, masked, weight
from support import reference_diffusion as diffusion_ref

every = pytest.mark.parametrize("schedule", get_args(NoiseSchedule))
LEVELS = np.linspace(1e-3, 1.0, 400)[:-1]


@every
@pytest.mark.parametrize("eps", [0.0, 1e-3, 0.3])
def test_weight_is_derivative_over_rate(schedule: NoiseSchedule, eps: float) -> None:
    h = 1e-6
    rise = masked(schedule, LEVELS + h, eps) - masked(schedule, LEVELS - h, eps)
    expected = rise / (2 * h) / masked(schedule, LEVELS, eps)
    np.testing.assert_allclose(weight(schedule, LEVELS, eps), expected, rtol=1e-5, atol=1e-6)


@every
def test_rates_rise_from_zero_to_one(schedule: NoiseSchedule) -> None:
    rates = masked(schedule, np.linspace(0, 1, 1001), 1e-3)
    assert (np.diff(rates) > 0).all()
    assert 0 <= rates[0] <= 1e-3
    assert 0.9985 < rates[-1] <= 1


@every
def test_mean_of_rate_times_weight_is_the_rise(schedule: NoiseSchedule) -> None:
    t = np.linspace(1e-3, 1, 200_001)
    product = masked(schedule, t, 1e-3) * weight(schedule, t, 1e-3)
    rise = masked(schedule, t[-1:], 1e-3) - masked(schedule, t[:1], 1e-3)
    assert np.trapezoid(product, t) == pytest.approx(rise[0], rel=1e-6)


@every
def test_matches_reference(schedule: NoiseSchedule) -> None:
    for t in LEVELS[::20]:
        expected = diffusion_ref.SCHEDULES[schedule](t, 1e-3)
        got = masked(schedule, np.array([t]), 1e-3)[0], weight(schedule, np.array([t]), 1e-3)[0]
        assert got == pytest.approx(expected, rel=1e-12)


def test_log_linear_weight_is_one_over_t() -> None:
    assert (weight("log_linear", LEVELS, 1e-3) == 1 / LEVELS).all()


def test_cosine_schedules_match_the_paper() -> None:
    visible = 1e-3 + (1 - 1e-3) * np.cos(np.pi / 2 * LEVELS)
    np.testing.assert_allclose(masked("cosine", LEVELS, 1e-3), 1 - visible, atol=1e-15)
    visible = 1e-3 + (1 - 1e-3) * np.cos(np.pi / 2 * LEVELS) ** 2
    np.testing.assert_allclose(masked("cosine_squared", LEVELS, 1e-3), 1 - visible, atol=1e-15)
