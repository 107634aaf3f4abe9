"""Spans of geometric length."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from maskplug.parts import Schedule, Selector
from maskplug.rng import Rng
from maskplug.schedule import check_rate
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import FloatArray, UintArray, cdf_thresholds
from maskplug.units import Unit, budget, units
from maskplug.validation.options import LENGTH, check_number, check_whole
from maskplug.vocabulary import Vocabulary


def geometric_probs(p: float, max_length: int) -> FloatArray:
    """The probabilities of the lengths 1 … ``max_length``: geometric, cut off and rescaled.

    Example:
        >>> geometric_law(0.2, 10).round(4)[:3].tolist()
        [0.2241, 0.1792, 0.1434]
    """
    weights = (1.0 - p) ** np.arange(max_length)
    return np.asarray(weights / weights.sum())


@lru_cache(maxsize=64)
def _limits(p: float, max_length: int) -> UintArray:
    return cdf_thresholds(geometric_probs(p, max_length))


@dataclass(frozen=True)
class Spans(Selector):
    """Chooses runs of units whose lengths are geometric, with an exact budget of units.

    Lengths are drawn until the budget of ``rate`` times the units is spent (the last is cut), and
    the spans are laid out with every arrangement equally likely and, wherever there is room, a
    visible unit between two of them: what was drawn is what can be seen.

    Args:
        rate: share of the units, from 0 to 1, or a schedule.
        p: of the geometric law, above 0 and at most 1; the mean of the default law is 3.8.
        max_length: the longest span, in units; at most 2**20.
        unit: "word" (spans of whole words) or "token".

    Source: Joshi et al., "SpanBERT", 2020, section 3.1. Its reference code cuts words at the end of
    the budget and merges spans that touch.
    """

    rate: Schedule | float = 0.15
    p: float = 0.2
    max_length: int = 10
    unit: Unit = "word"

    def __post_init__(self) -> None:
        check_rate("rate", self.rate)
        check_number("p", self.p, above=0.0, most=1.0)
        check_whole("max_length", self.max_length, 1, LENGTH)

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        from maskplug.kernels.spans import spans

        candidates = units(tokens, vocab, self.unit)
        starts, lengths, offsets = spans(
            rng.stream_keys("span lengths"),
            rng.stream_keys("span places"),
            candidates.starts,
            candidates.lengths,
            candidates.offsets,
            budget(self.rate, candidates.counts, rng),
            _limits(self.p, self.max_length),
            True,
        )
        return Selection(starts, lengths, offsets, len(tokens.ids))
