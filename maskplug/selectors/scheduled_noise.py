"""A noise level for each row, and a schedule that makes a mask rate of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.parts import added_later
from maskplug.rng import Rng
from maskplug.selectors.noise import Noise
from maskplug.selectors.noise_schedules import NoiseSchedule, masked, weight
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import FloatArray, thresholds
from maskplug.validation.options import check_number
from maskplug.vocabulary import Vocabulary

#: The least noise level: at 0 nothing is masked, and the weight of a mask is infinite.
LEAST = 1e-3
#: 2**32 divided by the golden ratio, as an odd number: how far a level moves at each tick.
TICK = np.uint64(0x9E3779B9)
WRAP = np.uint64(0xFFFFFFFF)


@added_later("mask_special")
@dataclass(frozen=True)
class ScheduledNoise(Noise):
    """Chooses each token of a row with the probability that a schedule has at the row's level t.

    t is uniform from 1e-3 to 1. The weight is (the schedule's slope) / (the probability), which for
    ``log_linear`` is exactly 1 / t. Rows in which nothing is chosen stay so: forcing a mask would
    bias the estimate of the likelihood.

    Args:
        schedule: "log_linear" (the probability is a straight line in t), "cosine",
            "cosine_squared", "linear" or "geometric" (the noise is a line, or a power, in t).
        eps: the share that ``log_linear``, ``cosine`` and ``cosine_squared`` leave at t = 1, from 0
            to less than 1; the others do not use it.
        antithetic: the levels of one row at the clock's times 0, 1, 2, … are spread as evenly as
            can be: each is the one before, moved on by the golden ratio and wrapped around, from a
            start that is uniform. Without it they are drawn on their own.
        mask_special: mask special tokens as well, but for protected ones; see
            :meth:`Noise.candidates`.

    Source: Sahoo et al., "Simple and effective masked diffusion language models" (MDLM), 2024.
    Their code spreads the levels over the rows of a batch, which makes a mask depend on the batch;
    here they are spread over the visits of a row, and are independent between rows.
    """

    schedule: NoiseSchedule = "log_linear"
    eps: float = 1e-3
    antithetic: bool = True
    mask_special: bool = False

    def __post_init__(self) -> None:
        check_number("eps", self.eps, least=0.0, below=1.0)

    def times(self, rng: Rng) -> FloatArray:
        """The level t of every row: float64, from 1e-3 to less than 1."""
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
        return np.repeat(weight(self.schedule, self.times(rng), self.eps), tokens.lengths)
