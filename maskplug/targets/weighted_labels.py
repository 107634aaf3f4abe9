"""Labels in place, each with the weight that the noise gives it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from maskplug.errors import OptionError
from maskplug.parts import Target
from maskplug.ragged import Ragged
from maskplug.rng import Rng
from maskplug.selectors.noise import Noise
from maskplug.targets.labels import Labels
from maskplug.tokens import Masked, Selection, TokenBatch
from maskplug.types import readonly
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class WeightedLabels(Target):
    """One label and one weight for each token: those of a masked one, elsewhere -100 and 0.

    The loss of a row is the weighted sum over its labels, divided by the number of its tokens that
    could have been masked: its ``divisors``. They depend neither on how many are masked nor on how
    long a prompt stands before them. Without a prompt that is the length of the row (LLaDA), or the
    number of its tokens (MDLM); special tokens count where they can be masked.

    Args:
        noise: the selector of the strategy, which knows the weights: give the same one.

    Source: the bound on the likelihood of masked diffusion models, as in Sahoo et al., "Simple and
    effective masked diffusion language models", 2024.
    """

    predicts = "labels"

    noise: Noise

    def __post_init__(self) -> None:
        if not isinstance(self.noise, Noise):
            raise OptionError(
                f"option 'noise' is {self.noise!r}; it must be a selector that knows weights, such "
                "as 'uniform_noise', 'scheduled_noise' or 'block_noise'"
            )

    def build(
        self,
        tokens: TokenBatch,
        selection: Selection,
        inputs: Ragged,
        vocab: Vocabulary,
        rng: Rng,
    ) -> Masked:
        from maskplug.kernels.replace import copy_spans

        masked = Labels().build(tokens, selection, inputs, vocab, rng)
        given = np.broadcast_to(self.noise.weights(tokens, vocab, rng), len(tokens.ids))
        weights = np.zeros(len(tokens.ids))
        # Moved as integers, as the ids are: numbers of the same size, and one kernel for both.
        copy_spans(
            weights.view(np.int64),
            readonly(given, np.float64).view(np.int64),
            selection.starts,
            selection.lengths,
        )
        return replace(
            masked,
            weights=weights,
            divisors=self.noise.candidate_counts(tokens, vocab),
            annotations=self.noise.annotations(tokens, vocab),
        )
