"""Base class of the selectors for masked diffusion."""

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
    """A selector that draws the noise level of each row or block, then masks tokens independently.

    The loss of a masked token is weighted by the noise level. The target ``weighted_labels`` gets
    the weights from the selector, which draws the same levels again from the same streams, and the
    candidates, so that the loss is divided by the number of tokens that could have been masked.
    """

    #: Whether special tokens may be masked; an option of the selectors that have it.
    mask_special: bool = False

    def candidates(self, tokens: TokenBatch, vocab: Vocabulary) -> Selection:
        """Return every token that may be masked, as a selection of single tokens.

        With ``mask_special`` these are all tokens that are neither protected nor padding nor
        already the mask token; ``pad_id`` does not count as padding if it is also ``eos_id``.
        Otherwise they are the tokens of :func:`maskplug.units`, without special tokens.

        Raises:
            TokenError: if an id is outside the vocabulary.
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
        """Return the number of candidates of every sample: int64.

        Raises:
            TokenError: if an id is outside the vocabulary.
        """
        if self.mask_special or "protected" in tokens.annotations:
            return self.candidates(tokens, vocab).counts
        from maskplug.kernels.units import ordinary_counts

        vocab.check(tokens)
        counts: IntArray = ordinary_counts(tokens.ids, vocab.special, tokens.offsets)
        return counts

    @abstractmethod
    def weights(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> FloatArray:
        """Return the weight of each token's loss if it is masked: float64, one for each token.

        Values at tokens that are never masked have no meaning.
        """

    def annotations(self, tokens: TokenBatch, vocab: Vocabulary) -> dict[str, np.ndarray[Any, Any]]:
        """Return annotations that a model reads, one value for each token; empty by default."""
        return {}
