"""What the selectors of masked diffusion share: noise that is drawn first, and masks by it."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np

from maskplug.arrays import FloatArray
from maskplug.parts import Selector
from maskplug.rng import Rng
from maskplug.tokens import TokenBatch
from maskplug.vocabulary import Vocabulary


class Noise(Selector):
    """A selector that draws how noisy a row (or a block of it) is, then its masks one by one.

    The loss of a masked token is weighted by that noise; the target ``weighted_labels`` asks the
    selector for the weights, which draws the same noise again from the same streams.
    """

    @abstractmethod
    def weights(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> FloatArray:
        """The weight that the loss of each token has if it is masked: float64, one for each.

        What stands at tokens that are never masked has no meaning.
        """

    def layers(self, tokens: TokenBatch, vocab: Vocabulary) -> dict[str, np.ndarray[Any, Any]]:
        """Layers that a model reads of the noise, one value for each token; most have none."""
        return {}
