"""Select an exact number of spans with a given mean length."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.errors import OptionError, shortened
from maskplug.parts import Schedule, SelectionBound, Selector
from maskplug.rng import Rng
from maskplug.schedule import check_rate, highest
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import IntArray, readonly
from maskplug.units import Unit, budget, max_budget, units
from maskplug.validation.options import check_number
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class MeanSpans(Selector):
    """Select spans whose number and total length are exact.

    The budget of N units, ``rate`` times the units of the sample, is divided into K = round(N /
    ``mean_length``) spans, at least one and at most as many as can be separated. Every division is
    equally likely, so that a span has l units with probability C(N-l-1, K-2) / C(N-1, K-1). Every
    arrangement of the spans with a visible unit between neighbors is equally likely; the first unit
    and the last may or may not be selected.

    One unit of every sample stays visible, except in samples of a single unit, which is selected.

    Args:
        rate: share of the units, 0 to below 1, or a schedule.
        mean_length: mean length of the spans in units, at least 1.
        unit: "token", "word" (spans of whole words) or "sentence".

    Source: Raffel et al., "T5", 2020, section 3.3.4. Its reference code never starts with a span,
    always ends with one, and raises an error if more spans are needed than can be separated.
    """

    rate: Schedule | float = 0.15
    mean_length: float = 3.0
    unit: Unit = "token"

    def __post_init__(self) -> None:
        check_rate("rate", self.rate)
        if highest(self.rate) >= 1.0:
            raise OptionError(
                f"option 'rate' is {shortened(self.rate)}; it must be below 1, so that a token "
                "between two spans stays visible"
            )
        check_number("mean_length", self.mean_length, least=1.0)

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        from maskplug.kernels.spans import compositions, lay_out, span_counts

        candidates = units(tokens, vocab, self.unit)
        budgets, counts = span_counts(
            readonly(candidates.counts, np.int64),
            readonly(budget(self.rate, candidates.counts, rng), np.int64),
            self.mean_length,
        )
        sizes, bounds = compositions(rng.stream_keys("span cuts"), budgets, counts)
        spans = lay_out(rng.stream_keys("span places"), *candidates.spans, sizes, bounds, True)
        return Selection(*spans, len(tokens.ids))

    def bound(self, lengths: IntArray) -> SelectionBound:
        # A special token splits a span, so the number of spans is bounded only by the budget.
        budgets = max_budget(self.rate, lengths)
        tokens = budgets if self.unit == "token" else lengths
        return SelectionBound(tokens, budgets, np.zeros_like(lengths))
