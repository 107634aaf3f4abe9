"""Select one contiguous fragment of each sample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.parts import Schedule, SelectionBound, Selector
from maskplug.rng import Rng
from maskplug.schedule import check_rate, highest
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import IntArray, below
from maskplug.units import contiguous, units
from maskplug.validation.options import check_number
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class Fragment(Selector):
    """Select one fragment of max(1, round(``rate`` n)) of a sample's n tokens; none at a rate of 0.

    Args:
        rate: share of the tokens, 0 to 1, or a schedule.
        edges: probability that the fragment is at the start, and also that it is at the end, 0 to
            0.5; otherwise all positions are equally likely.

    Source: Song et al., "MASS", 2019, and its code.
    """

    rate: Schedule | float = 0.5
    edges: float = 0.2

    def __post_init__(self) -> None:
        check_rate("rate", self.rate)
        check_number("edges", self.edges, least=0.0, most=0.5)

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        candidates = units(tokens, vocab)
        counts = candidates.counts
        rates = rng.value(self.rate)
        sizes = np.maximum(np.rint(rates * counts).astype(np.int64), 1)
        sizes = np.where(rates > 0.0, np.minimum(sizes, counts), 0)
        words = rng.bits("fragment", np.full(len(tokens), 2)).reshape(-1, 2)
        free = counts - sizes
        at_start = words[:, 0] < round(self.edges * 2.0**32)
        at_end = words[:, 0] < round(2.0 * self.edges * 2.0**32)
        firsts = np.where(at_end, free, below(words[:, 1], free + 1))
        return contiguous(candidates, np.where(at_start, 0, firsts), sizes)

    def bound(self, lengths: IntArray) -> SelectionBound:
        # A special token within the fragment splits it into two spans.
        longest = np.maximum(np.rint(highest(self.rate) * lengths).astype(np.int64), lengths > 0)
        return SelectionBound(
            longest, np.minimum(longest, (lengths + 1) // 2), np.zeros_like(lengths)
        )
