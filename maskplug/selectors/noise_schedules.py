"""Noise schedules of masked diffusion: mask rate and loss weight at a noise level t."""

from __future__ import annotations

from typing import Literal

import numpy as np

from maskplug.types import FloatArray

NoiseSchedule = Literal["log_linear", "cosine", "cosine_squared", "linear", "geometric"]

#: The noise at t = 0 and t = 1 of the schedules that are defined by their noise. The geometric one
#: is that of SEDD (Lou et al., 2024): MDLM's ends at 1 and leaves 37 % unmasked at t = 1.
LINEAR = (1e-3, 7.0)
GEOMETRIC = (1e-4, 20.0)


def _noise(schedule: NoiseSchedule, t: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the noise of ``linear`` or ``geometric``, and its derivative."""
    if schedule == "linear":
        first, last = LINEAR
        return first + (last - first) * t, np.full_like(t, last - first)
    first, last = GEOMETRIC
    noise = first * (last / first) ** t
    return noise, noise * np.log(last / first)


def masked(schedule: NoiseSchedule, t: FloatArray, eps: float) -> FloatArray:
    """Return the probability that a token is masked at level ``t``: float64, from 0 to about 1.

    For ``linear`` and ``geometric`` with the noise s(t) it is 1 - exp(-s(t)). The others are

    - ``log_linear``: (1 - eps) t
    - ``cosine``: (1 - eps) (1 - cos(pi t / 2))
    - ``cosine_squared``: (1 - eps) sin(pi t / 2)**2

    Example:
        >>> masked("log_linear", np.array([0.25, 1.0]), 0.0).tolist()
        [0.25, 1.0]
    """
    if schedule == "log_linear":
        return (1.0 - eps) * t
    if schedule == "cosine":
        return (1.0 - eps) * 2.0 * np.sin(np.pi / 4 * t) ** 2  # 1 - cos, without cancellation
    if schedule == "cosine_squared":
        return (1.0 - eps) * np.sin(np.pi / 2 * t) ** 2
    noise, _ = _noise(schedule, t)
    return np.asarray(-np.expm1(-noise))


def weight(schedule: NoiseSchedule, t: FloatArray, eps: float) -> FloatArray:
    """Return the derivative of :func:`masked` divided by :func:`masked`: float64.

    With t uniform, the expected weighted number of masks per token is ``masked(1) - masked(0)``,
    about 1.

    Example:
        >>> weight("log_linear", np.array([0.25, 1.0]), 1e-3).tolist()
        [4.0, 1.0]
    """
    if schedule == "log_linear":
        return 1.0 / t
    if schedule == "cosine":
        return np.pi / 2 / np.tan(np.pi / 4 * t)
    if schedule == "cosine_squared":
        return np.pi / np.tan(np.pi / 2 * t)
    noise, slope = _noise(schedule, t)
    return np.asarray(slope / np.expm1(noise))
