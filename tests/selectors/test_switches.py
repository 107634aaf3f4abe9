"""Tests of the selector ``switches``."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from maskplug.selectors import Switches
from support.batches import fits, likely, masks

N = 20_000


def switch_probs(tau: float, length: int) -> np.ndarray:
    """Return the probabilities of 1 … ``length`` changes, P(n) ∝ exp(-n τ)."""
    weights = np.exp(-tau * np.arange(length))
    return weights / weights.sum()


def change_probs(tau: float, length: int) -> np.ndarray:
    """Return the probabilities of the number of changed units: a mixture of binomials."""
    shares = switch_probs(tau, length)
    each = [
        stats.binom(length, n / length).pmf(np.arange(length + 1)) for n in range(1, length + 1)
    ]
    return np.asarray(shares @ each)


@pytest.mark.parametrize(
    ("tau", "mean", "unchanged"), [(0.5, 2.47, 0.17), (0.9, 1.67, 0.24), (1.1, 1.50, 0.26)]
)
def test_matches_figures_of_the_reference_code(tau: float, mean: float, unchanged: float) -> None:
    probs = change_probs(tau, 10)
    assert probs @ np.arange(11) == pytest.approx(mean, abs=0.02)
    assert probs[0] == pytest.approx(unchanged, abs=0.01)
    changed = masks(Switches(tau), N, 10).sum(axis=1)
    deviation = np.sqrt(probs @ np.arange(11) ** 2 - (probs @ np.arange(11)) ** 2)
    assert changed.mean() == pytest.approx(probs @ np.arange(11), abs=4 * deviation / np.sqrt(N))
    assert likely((changed == 0).sum(), N, float(probs[0]))
    seen = np.bincount(changed, minlength=11)
    assert fits([*seen[:6], seen[6:].sum()], [*probs[:6], probs[6:].sum()])


def test_tau_zero_is_uniform_and_large_tau_changes_one() -> None:
    assert masks(Switches(0.0), N, 10).sum(axis=1).mean() == pytest.approx(5.5, abs=0.1)
    assert masks(Switches(800.0), N, 10).sum(axis=1).mean() == pytest.approx(1.0, abs=0.04)
