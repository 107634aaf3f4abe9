"""Select spans of Poisson-distributed length: BART's text infilling."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from maskplug.parts import Schedule, SelectionBound, Selector
from maskplug.rng import Rng
from maskplug.schedule import check_rate
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import FloatArray, IntArray, UintArray, cdf_thresholds
from maskplug.units import Unit, budget, max_budget, units
from maskplug.validation.options import check_number
from maskplug.vocabulary import Vocabulary

LONGEST_MEAN = 100.0


def poisson_probs(mean: float) -> FloatArray:
    """Return the probabilities of the lengths 0, 1, 2, …, truncated at 2**-34 and normalized.

    Example:
        >>> poisson_probs(3.0).round(4)[:4].tolist()
        [0.0498, 0.1494, 0.224, 0.224]
    """
    weights = [math.exp(-mean)]
    while len(weights) <= mean or weights[-1] >= 2.0**-34:
        weights.append(weights[-1] * mean / len(weights))
    probs: FloatArray = np.asarray(weights) / np.cumsum(weights)[-1]
    return probs


@lru_cache(maxsize=64)
def _limits(mean: float) -> UintArray:
    return cdf_thresholds(poisson_probs(mean))


@dataclass(frozen=True)
class PoissonSpans(Selector):
    """Select spans whose lengths follow a Poisson distribution, with an exact budget of units.

    Lengths are drawn until the budget, ``rate`` times the units, is spent; the last one is cut to
    fit. A length of 0 is an empty span, where a replacement may insert a token; there are at most
    as many empty spans as units in the budget. Every arrangement is equally likely, with a visible
    unit between spans if there is room. An empty span is before a unit or directly after the last
    one, never before the leading special tokens or at the very end of a sample.

    Args:
        rate: share of the units, 0 to 1, or a schedule.
        mean: mean of the Poisson distribution, above 0 and at most 100.
        unit: "word" (spans of whole words), "token" or "sentence".

    Source: text infilling of Lewis et al., "BART", 2020, section 2.2. In fairseq's code spans may
    overlap, so that it masks 27 % of a text at a rate of 30 %.
    """

    rate: Schedule | float = 0.3
    mean: float = 3.0
    unit: Unit = "word"

    def __post_init__(self) -> None:
        check_rate("rate", self.rate)
        check_number("mean", self.mean, above=0.0, most=LONGEST_MEAN)

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        from maskplug.kernels.spans import lay_out, sample_lengths

        candidates = units(tokens, vocab, self.unit)
        budgets = budget(self.rate, candidates.counts, rng)
        spans = lay_out(
            rng.stream_keys("poisson places"),
            *candidates.spans,
            *sample_lengths(rng.stream_keys("poisson lengths"), budgets, _limits(self.mean), 0),
            True,
        )
        return Selection(*spans, len(tokens.ids))

    def bound(self, lengths: IntArray) -> SelectionBound:
        spent = max_budget(self.rate, lengths)
        tokens = spent if self.unit == "token" else lengths
        return SelectionBound(tokens, 2 * spent, spent)
