"""Labels in place, and how far each is from the visible tokens around its span."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from maskplug.parts import Target
from maskplug.ragged import Ragged
from maskplug.rng import Rng
from maskplug.targets.labels import Labels
from maskplug.tokens import Masked, Selection, TokenBatch
from maskplug.types import BoolArray, readonly
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class BoundaryLabels(Target):
    """``labels``, with two layers for a span boundary objective.

    ``left_distance`` and ``right_distance`` (int64, one for each input) say how far a chosen token
    is from the nearest token on that side that is not chosen: a head gathers the states of both,
    ``i - left_distance`` and ``i + right_distance``, in any padding, and ``left_distance`` counts
    the position in the span from 1. Both are 0 for tokens that are not chosen; one is 0 where the
    run of chosen tokens reaches the end of the row, or padding, on that side.

    Example:
        >>> vocab = Vocabulary(size=10, mask_id=4)
        >>> tokens = TokenBatch.from_lists([[5, 6, 7, 8]])
        >>> spans = Selection(np.array([1]), np.array([2]), np.array([0, 1]), 4)
        >>> masked = BoundaryLabels().build(
        ...     tokens, spans, Ragged.of([[5, 4, 4, 8]]), vocab, Rng.at(0, 0, tokens.keys)
        ... )
        >>> masked.annotations["left_distance"].tolist(), masked.annotations["right_distance"].tolist()
        ([0, 1, 2, 0], [0, 2, 1, 0])

    Source: the span boundary objective of Joshi et al., "SpanBERT", 2020, section 3.2. It predicts
    only spans with a visible token on both sides: those with both distances above 0.
    """

    predicts = "labels"

    def build(
        self,
        tokens: TokenBatch,
        selection: Selection,
        inputs: Ragged,
        vocab: Vocabulary,
        rng: Rng,
    ) -> Masked:
        from maskplug.kernels.runs import distances

        masked = Labels().build(tokens, selection, inputs, vocab, rng)
        padding: BoolArray = np.zeros(len(tokens.ids), np.bool_)
        if vocab.pad_id is not None:
            padding = tokens.ids == vocab.pad_id
        left, right = distances(selection.mask, readonly(padding, np.bool_), tokens.offsets)
        return replace(masked, annotations={"left_distance": left, "right_distance": right})
