"""Select spans of geometrically distributed length."""

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
    """Return the probabilities of the lengths 1 … ``max_length``: geometric, truncated, normalized.

    Example:
        >>> geometric_probs(0.2, 10).round(4)[:3].tolist()
        [0.2241, 0.1792, 0.1434]
    """
    weights = (1.0 - p) ** np.arange(max_length)
    return np.asarray(weights / weights.sum())


@lru_cache(maxsize=64)
def _limits(p: float, max_length: int) -> UintArray:
    return cdf_thresholds(geometric_probs(p, max_length))


@dataclass(frozen=True)
class Spans(Selector):
    """Select spans whose lengths follow a geometric distribution, with an exact budget of units.

    Lengths are drawn until the budget, ``rate`` times the units, is spent; the last one is cut to
    fit. Every arrangement is equally likely, with a visible unit between spans if there is room.

    Args:
        rate: share of the units, 0 to 1, or a schedule.
        p: parameter of the geometric distribution, above 0 and at most 1; the mean length is 3.8 by
            default.
        max_length: maximum length of a span in units, at most 2**20.
        unit: "word" (spans of whole words), "token" or "sentence".

    Source: Joshi et al., "SpanBERT", 2020, section 3.1. Its reference code cuts words at the end of
    the budget and merges adjacent spans.
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
        chosen = spans(
            rng.stream_keys("span lengths"),
            rng.stream_keys("span places"),
            *candidates.spans,
            budget(self.rate, candidates.counts, rng),
            _limits(self.p, self.max_length),
            True,
        )
        return Selection(*chosen, len(tokens.ids))
