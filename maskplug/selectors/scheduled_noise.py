"""Noise for masked diffusion (MDLM): a noise level for each row, and a noise schedule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from maskplug.parts import added_later
from maskplug.rng import Rng
from maskplug.selectors.noise import Noise
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import FloatArray, thresholds
from maskplug.validation.options import check_number
from maskplug.vocabulary import Vocabulary

NoiseSchedule = Literal["log_linear", "cosine", "cosine_squared", "linear", "geometric"]

#: The lowest noise level: at 0 nothing is masked, and the weight of a mask is infinite.
LEAST = 1e-3
#: 2**32 divided by the golden ratio, as an odd number: the shift of a level at each tick.
TICK = np.uint64(0x9E3779B9)
WRAP = np.uint64(0xFFFFFFFF)
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


def weight(schedule: NoiseSchedule, t: FloatArray) -> FloatArray:
    """Return the derivative of :func:`masked` divided by :func:`masked`: float64.

    With t uniform, the expected weighted number of masks per token is ``masked(1) - masked(0)``,
    about 1.

    Example:
        >>> weight("log_linear", np.array([0.25, 1.0])).tolist()
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


@added_later("mask_special")
@dataclass(frozen=True)
class ScheduledNoise(Noise):
    """Select each token with the probability that a noise schedule has at the row's noise level t.

    t is uniform from 1e-3 to 1. The weight is the derivative of the probability divided by the
    probability, which is exactly 1 / t for ``log_linear``. A row may have no masked token: forcing
    one would bias the estimate of the likelihood.

    Args:
        schedule: "log_linear" (the probability is linear in t), "cosine", "cosine_squared",
            "linear" or "geometric" (the noise is linear, or exponential, in t).
        eps: share of unmasked tokens at t = 1 for "log_linear", "cosine" and "cosine_squared", from
            0 to below 1; ignored for the others.
        antithetic: spread the levels of one row evenly over the clock's times 0, 1, 2, …: each
            level is the previous one shifted by the golden ratio modulo 1, from a uniform start. If
            False, they are independent.
        mask_special: also mask special tokens that are not protected; see :meth:`Noise.candidates`.

    Source: Sahoo et al., "Simple and effective masked diffusion language models" (MDLM), 2024.
    Their code spreads the levels over the rows of a batch, which makes a mask depend on the batch;
    here they are spread over the epochs of a row, and rows are independent.
    """

    schedule: NoiseSchedule = "log_linear"
    eps: float = 1e-3
    antithetic: bool = True
    mask_special: bool = False

    def __post_init__(self) -> None:
        check_number("eps", self.eps, least=0.0, below=1.0)

    def times(self, rng: Rng) -> FloatArray:
        """Return the noise level t of every row: float64, from 1e-3 to below 1."""
        one = np.ones(len(rng), np.int64)
        if self.antithetic:
            ticks = rng.t.astype(np.uint64)
            rng = rng.at_time_zero
            words = rng.bits("noise level", one) + ticks * TICK & WRAP
        else:
            words = rng.bits("noise level", one).astype(np.uint64)
        return LEAST + (1.0 - LEAST) * (words.astype(np.float64) * 2.0**-32)

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        from maskplug.kernels.select import independent

        candidates = self.candidates(tokens, vocab)
        limits = thresholds(masked(self.schedule, self.times(rng), self.eps))
        keys = rng.stream_keys("independent")
        return candidates.take(independent(keys, candidates.offsets, limits, False, False, 0))

    def weights(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> FloatArray:
        return np.repeat(weight(self.schedule, self.times(rng)), tokens.lengths)
