"""Select tokens independently, at least one in every language of a row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.parts import Schedule, Selector
from maskplug.rng import Rng
from maskplug.schedule import check_rate
from maskplug.selectors.annotation import whole_numbers
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import IntArray, readonly, thresholds
from maskplug.units import units
from maskplug.vocabulary import Vocabulary


def language_starts(tokens: TokenBatch) -> IntArray:
    """Return the flat position at which each token's language begins in its row: int64.

    Raises:
        TokenError: if the annotation ``languages`` does not hold non-negative integers.
    """
    from maskplug.kernels.segments import segment_starts

    languages = whole_numbers(tokens, "languages", "the number of each token's language")
    starts: IntArray = segment_starts(readonly(languages, np.int64), tokens.offsets)
    return starts


@dataclass(frozen=True)
class ByLanguage(Selector):
    """Select each token with probability ``rate``, and at least one in every language of a row.

    The annotation ``languages`` (an integer for each token) marks the language of each token. If no
    token of a language is drawn, one of them is selected, so that both sides of a short pair have
    something to predict.

    Args:
        rate: probability of each token, 0 to 1, or a schedule.

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
