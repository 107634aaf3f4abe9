"""Noise for masked diffusion (LLaDA): a uniform mask rate for each row."""

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
    """Select each token of a row with the row's own probability p; its weight is 1 / p.

    p is (1 - ``eps``) t + ``eps`` with t uniform from 0 to 1, so that every number of masks is
    about equally likely. About one in n + 1 rows of n tokens has no masked token and a loss of 0;
    this keeps the weighted sum of the losses an unbiased estimate.

    Args:
        eps: smallest probability, above 0 and at most 1; with 1, every token is selected.
        always_one: select one token in rows without any. The weight is then 1 / (the resulting
            probability of the token), so that each token still has the right mean weight, but the
            sum is no longer an unbiased estimate of the bound on the likelihood.
        mask_special: also mask special tokens that are not protected; see :meth:`Noise.candidates`.

    Source: Nie et al., "Large language diffusion models" (LLaDA), 2025.
    """

    eps: float = 1e-3
    always_one: bool = False
    mask_special: bool = False

    def __post_init__(self) -> None:
        check_number("eps", self.eps, above=0.0, most=1.0)

    def _rates(self, rng: Rng) -> FloatArray:
        t = rng.uniform("noise level", np.ones(len(rng), np.int64))
        return (1.0 - self.eps) * t + self.eps

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        from maskplug.kernels.select import independent

        candidates = self.candidates(tokens, vocab)
        limits = thresholds(self._rates(rng))
        keys = rng.stream_keys("independent")
        chosen = independent(keys, candidates.offsets, limits, self.always_one, False, 0)
        return candidates.take(chosen)

    def weights(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> FloatArray:
        rates = self._rates(rng)
        if self.always_one:
            counts = np.maximum(self.candidates(tokens, vocab).counts, 1)
            rates = rates + (1.0 - rates) ** counts / counts
        return np.repeat(1.0 / rates, tokens.lengths)
