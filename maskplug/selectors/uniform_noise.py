"""A mask rate for each row, uniform between nothing and everything."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.parts import added_later
from maskplug.rng import Rng
from maskplug.selectors.noise import Noise
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import FloatArray, thresholds
from maskplug.validation.options import check_number
from maskplug.vocabulary import Vocabulary


@added_later("mask_special")
@dataclass(frozen=True)
class UniformNoise(Noise):
    """Chooses each token of a row with the row's own probability p; the weight is 1 / p.

    p is (1 - ``eps``) t + ``eps`` with t uniform between 0 and 1, so that every number of masks is
    about equally likely. The weighted sum of the losses is an unbiased estimate because rows in
    which nothing is chosen, about one in n + 1 of those with n tokens, stay so and count as 0.

    Args:
        eps: the least probability, above 0 and at most 1; with 1 every token is chosen.
        always_one: choose one token where nothing was. The weight is then 1 / (the probability with
            which the token is chosen in this way); each token still counts right on average, but
            it is predicted in other company than before, and the sum is no longer an unbiased
            estimate of the bound on the likelihood.
        mask_special: mask special tokens as well, but for protected ones; see
            :meth:`Noise.candidates`.

    Source: Nie et al., "Large language diffusion models" (LLaDA), 2025.
    """

    eps: float = 1e-3
    always_one: bool = False
    mask_special: bool = False

    def __post_init__(self) -> None:
        check_number("eps", self.eps, above=0.0, most=1.0)

    def _chances(self, rng: Rng) -> FloatArray:
        t = rng.uniform("noise level", np.ones(len(rng), np.int64))
        return (1.0 - self.eps) * t + self.eps

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        from maskplug.kernels.select import independent

        candidates = self.candidates(tokens, vocab)
        limits = thresholds(self._chances(rng))
        keys = rng.stream_keys("independent")
        chosen = independent(keys, candidates.offsets, limits, self.always_one, False, 0)
        return candidates.take(chosen)

    def weights(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> FloatArray:
        chances = self._chances(rng)
        if self.always_one:
            counts = np.maximum(self.candidates(tokens, vocab).counts, 1)
            chances = chances + (1.0 - chances) ** counts / counts
        return np.repeat(1.0 / chances, tokens.lengths)
