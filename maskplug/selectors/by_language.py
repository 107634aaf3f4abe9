"""Each token on its own, and in every language at least one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.parts import Schedule, Selector
from maskplug.rng import Rng
from maskplug.schedule import check_rate
from maskplug.selectors.layer import whole_numbers
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import IntArray, readonly, thresholds
from maskplug.units import units
from maskplug.vocabulary import Vocabulary


def language_starts(tokens: TokenBatch) -> IntArray:
    """For each token, the flat position at which its language begins in its row: int64.

    Raises:
        TokenError: when the layer ``languages`` does not hold whole numbers.
    """
    from maskplug.kernels.segments import segment_starts

    layer = whole_numbers(tokens, "languages", "the number of each token's language")
    starts: IntArray = segment_starts(readonly(layer, np.int64), tokens.offsets)
    return starts


@dataclass(frozen=True)
class ByLanguage(Selector):
    """Chooses each token with probability ``rate``, and at least one of every language of a row.

    The layer ``languages`` (a whole number for each token) says where one language ends and the
    next begins. Where the coins choose no token of a language, one is chosen all the same, so that
    both sides of a short pair have something to predict from the other.

    Args:
        rate: from 0 to 1, or a schedule.

    Source: the masking of Conneau and Lample, "Cross-lingual language model pretraining", 2019.
    """

    rate: Schedule | float = 0.15

    required_annotations = ("languages",)

    def __post_init__(self) -> None:
        check_rate("rate", self.rate)

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        from maskplug.kernels.segments import independent_in_segments

        candidates = units(tokens, vocab)
        chosen = independent_in_segments(
            rng.stream_keys("by language"),
            candidates.offsets,
            readonly(language_starts(tokens)[candidates.starts], np.int64),
            thresholds(rng.value(self.rate)),
        )
        return candidates.take(chosen)
