"""What the selectors of masked diffusion share: noise that is drawn first, and masks by it."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np

from maskplug.parts import Selector
from maskplug.rng import Rng
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import FloatArray, IntArray
from maskplug.units import units
from maskplug.vocabulary import Vocabulary


class Noise(Selector):
    """A selector that draws how noisy a row (or a block of it) is, then its masks one by one.

    The loss of a masked token is weighted by that noise; the target ``weighted_labels`` asks the
    selector for the weights, which draws the same noise again from the same streams, and for the
    candidates, so that what the loss is divided by is what could have been masked.
    """

    #: Whether special tokens may be masked; an option of the selectors that have it.
    mask_special: bool = False

    def candidates(self, tokens: TokenBatch, vocab: Vocabulary) -> Selection:
        """Every token that may be masked, as a selection of all of them.

        With ``mask_special`` that is every token that is neither protected nor padding nor a mask
        already; ``pad_id`` is no padding where it is ``eos_id`` too. Without it, special tokens are
        left out: the candidates are :func:`maskplug.units`.

        Raises:
            TokenError: when an id is outside the vocabulary.
        """
        if not self.mask_special:
            return units(tokens, vocab)
        vocab.check(tokens)
        fixed = {vocab.mask_id, None if vocab.pad_id == vocab.eos_id else vocab.pad_id} - {None}
        free = ~np.isin(tokens.ids, sorted(fixed))
        if "protected" in tokens.annotations:
            free &= ~tokens.annotations["protected"].astype(np.bool_)
        return Selection.from_mask(free, tokens)

    def candidate_counts(self, tokens: TokenBatch, vocab: Vocabulary) -> IntArray:
        """The number of candidates of every sample: int64.

        Raises:
            TokenError: when an id is outside the vocabulary.
        """
        if self.mask_special or "protected" in tokens.annotations:
            return self.candidates(tokens, vocab).counts
        from maskplug.kernels.units import ordinary_counts

        vocab.check(tokens)
        counts: IntArray = ordinary_counts(tokens.ids, vocab.special, tokens.offsets)
        return counts

    @abstractmethod
    def weights(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> FloatArray:
        """The weight that the loss of each token has if it is masked: float64, one for each.

        What stands at tokens that are never masked has no meaning.
        """

    def annotations(self, tokens: TokenBatch, vocab: Vocabulary) -> dict[str, np.ndarray[Any, Any]]:
        """Layers that a model reads of the noise, one value for each token; most have none."""
        return {}
