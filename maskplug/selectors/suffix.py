"""Select a suffix of each sample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.errors import OptionError, shortened
from maskplug.parts import Schedule, SelectionBound, Selector
from maskplug.rng import Rng
from maskplug.schedule import check_rate, highest
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import FloatArray, IntArray, below
from maskplug.units import contiguous, units
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class Suffix(Selector):
    """Select all tokens of a sample from a random position to the end.

    Of n tokens the first P stay visible. P is uniform from max(1, round((1 - 2 ``rate``)(n - 1)))
    to n - 1, so that the mean length of the suffix is ``rate`` times n and neither side is empty.
    In a sample of one token, this token is selected. A rate of 0 selects nothing.

    Args:
        rate: mean share of the suffix, 0 to 0.5, or a schedule.

    Source: prefix language modelling of Raffel et al., "T5", 2020, section 3.3.1.
    """

    rate: Schedule | float = 0.5

    def __post_init__(self) -> None:
        check_rate("rate", self.rate)
        if highest(self.rate) > 0.5:
            raise OptionError(
                f"option 'rate' is {shortened(self.rate)}; the length of a suffix is uniform, "
                "and its mean share cannot exceed 0.5"
            )

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        candidates = units(tokens, vocab)
        counts = candidates.counts
        rates = rng.value(self.rate)
        shortest = _shortest_prefix(rates, counts)
        words = rng.bits("suffix", np.ones(len(tokens), np.int64))
        prefix = shortest + below(words, np.maximum(counts - shortest, 1))
        return contiguous(candidates, prefix, np.where(rates > 0.0, counts - prefix, 0))

    def bound(self, lengths: IntArray) -> SelectionBound:
        longest = lengths - _shortest_prefix(np.asarray(highest(self.rate)), lengths)
        # A special token within the suffix splits it into two spans.
        return SelectionBound(
            longest, np.minimum(longest, (lengths + 1) // 2), np.zeros_like(lengths)
        )


def _shortest_prefix(rates: FloatArray, counts: IntArray) -> IntArray:
    last = np.maximum(counts - 1, 0)
    shortest = np.rint((1.0 - 2.0 * rates) * last).astype(np.int64)
    return np.minimum(np.maximum(shortest, 1), last)
