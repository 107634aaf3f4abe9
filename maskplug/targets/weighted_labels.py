"""Labels in place, weighted by the noise level."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from maskplug.errors import OptionError
from maskplug.parts import Target
from maskplug.rng import Rng
from maskplug.selectors.noise import Noise
from maskplug.targets.labels import Labels
from maskplug.tokens import Masked, TokenBatch
from maskplug.types import readonly
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class WeightedLabels(Target):
    """Predict the original tokens in place, each weighted by the noise level of its row or block.

    Tokens that are not masked have the label -100 and the weight 0. The loss of a row is the
    weighted sum over its labels divided by its ``divisors``, the number of tokens that could have
    been masked. This number depends neither on how many are masked nor on the length of a prompt.
    Without a prompt it is the length of the row (LLaDA) or its number of tokens (MDLM); special
    tokens count if they can be masked.

    Args:
        noise: the selector of the strategy, which computes the weights; use the same one.

    Source: the bound on the likelihood of masked diffusion models, as in Sahoo et al., "Simple and
    effective masked diffusion language models", 2024.
    """

    predicts = "labels"

    noise: Noise

    def __post_init__(self) -> None:
        if not isinstance(self.noise, Noise):
            raise OptionError(
                f"option 'noise' is {self.noise!r}; it must be a selector that computes weights, "
                "such as 'uniform_noise', 'scheduled_noise' or 'block_noise'"
            )

    def build(self, tokens: TokenBatch, masked: Masked, vocab: Vocabulary, rng: Rng) -> Masked:
        from maskplug.kernels.rewrite import copy_spans

        masked = Labels().build(tokens, masked, vocab, rng)
        noise_weights = np.broadcast_to(self.noise.weights(tokens, vocab, rng), len(tokens.ids))
        weights = np.zeros(len(tokens.ids))
        # Copied as integers, so that ids and weights share one compiled kernel.
        copy_spans(
            weights.view(np.int64),
            readonly(noise_weights, np.float64).view(np.int64),
            masked.selection.starts,
            masked.selection.lengths,
        )
        return replace(
            masked,
            weights=weights,
            divisors=self.noise.candidate_counts(tokens, vocab),
            annotations=self.noise.annotations(tokens, vocab),
        )
