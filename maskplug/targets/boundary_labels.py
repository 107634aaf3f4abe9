"""Labels in place, with distances to the visible tokens on both sides of the span."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from maskplug.parts import Target
from maskplug.rng import Rng
from maskplug.targets.labels import Labels
from maskplug.tokens import Masked, TokenBatch
from maskplug.types import BoolArray, readonly
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class BoundaryLabels(Target):
    """Predict the original tokens in place, and add two annotations for a span boundary objective.

    ``left_distance`` and ``right_distance`` (int64, one value for each input) are the distances
    from a selected token to the nearest token on that side that is not selected. A model head
    gathers the hidden states at ``i - left_distance`` and ``i + right_distance``; ``left_distance``
    is also the position in the span, counted from 1. Both are 0 for tokens that are not selected. A
    distance is 0 if the selected tokens reach the end of the row, or padding.

    Example:
        >>> from maskplug import Ragged, Selection
        >>> vocab = Vocabulary(size=10, mask_id=4)
        >>> tokens = TokenBatch.from_lists([[5, 6, 7, 8]])
        >>> spans = Selection(np.array([1]), np.array([2]), np.array([0, 1]), 4)
        >>> masked = Masked(Ragged.of([[5, 4, 4, 8]]), spans)
        >>> masked = BoundaryLabels().build(tokens, masked, vocab, Rng.at(0, 0, tokens.keys))
        >>> {name: distances.tolist() for name, distances in masked.annotations.items()}
        {'left_distance': [0, 1, 2, 0], 'right_distance': [0, 2, 1, 0]}

    Source: the span boundary objective of Joshi et al., "SpanBERT", 2020, section 3.2. It predicts
    only spans with a visible token on both sides: tokens for which both distances are above 0.
    """

    predicts = "labels"

    def build(self, tokens: TokenBatch, masked: Masked, vocab: Vocabulary, rng: Rng) -> Masked:
        from maskplug.kernels.units import distances

        masked = Labels().build(tokens, masked, vocab, rng)
        padding: BoolArray = np.zeros(len(tokens.ids), np.bool_)
        if vocab.pad_id is not None:
            padding = tokens.ids == vocab.pad_id
        left, right = distances(masked.selection.mask, readonly(padding, np.bool_), tokens.offsets)
        return replace(masked, annotations={"left_distance": left, "right_distance": right})
