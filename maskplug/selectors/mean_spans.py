"""An exact number of spans, of a given mean length."""

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
    """Chooses spans whose number and whose total length are exact.

    The budget of N units, ``rate`` times the units of the sample, is cut into K =
    round(N / ``mean_length``) spans, at least one and as many as can stand apart: each way to cut
    it is equally likely, so that a span has l units with probability C(N-l-1, K-2) / C(N-1, K-1).
    The spans are laid out with every arrangement equally likely and a visible unit between two of
    them. They may begin at the first unit and need not reach the last.

    A unit of every sample stays visible. Only a sample of a single unit is chosen whole: without a
    prediction it would be no example at all.

    Args:
        rate: share of the units, from 0 to below 1, or a schedule.
        mean_length: at least 1, in units.
        unit: "token", "word" (spans of whole words) or "sentence".

    Source: Raffel et al., "T5", 2020, section 3.3.4. Its reference code never begins with a span
    and always ends with one, and fails where more spans are wanted than can stand apart.
    """

    rate: Schedule | float = 0.15
    mean_length: float = 3.0
    unit: Unit = "token"

    def __post_init__(self) -> None:
        check_rate("rate", self.rate)
        if highest(self.rate) >= 1.0:
            raise OptionError(
                f"option 'rate' is {shortened(self.rate)}; a rate of 1 leaves no visible token "
                "between two spans: it must stay below 1"
            )
        check_number("mean_length", self.mean_length, least=1.0)

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        from maskplug.kernels.spans import compositions, lay_out, span_counts

        candidates = units(tokens, vocab, self.unit)
        wanted = budget(self.rate, candidates.counts, rng)
        budgets, counts = span_counts(
            readonly(candidates.counts, np.int64), readonly(wanted, np.int64), self.mean_length
        )
        sizes, bounds = compositions(rng.stream_keys("span cuts"), budgets, counts)
        spans = lay_out(
            rng.stream_keys("span places"),
            candidates.starts,
            candidates.lengths,
            candidates.offsets,
            sizes,
            bounds,
            True,
        )
        return Selection(*spans, len(tokens.ids))

    def bound(self, lengths: IntArray) -> SelectionBound:
        # A special token within a span makes two of it: only the budget bounds their number.
        budgets = max_budget(self.rate, lengths)
        tokens = budgets if self.unit == "token" else lengths
        return SelectionBound(tokens, budgets, np.zeros_like(lengths))
