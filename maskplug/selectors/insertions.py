"""Select positions for insertions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.parts import Schedule, SelectionBound, Selector
from maskplug.rng import Rng
from maskplug.schedule import check_rate
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import IntArray, offsets_of
from maskplug.units import Unit, budget, max_budget, units
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class Insertions(Selector):
    """Select positions between units as empty spans; no token of the original is selected.

    The number of positions is ``rate`` times the units of a sample, rounded at random so that its
    mean is exact. A position is before a unit or directly after the last one; each is used at most
    once, and every subset is equally likely. No position is before the leading special tokens or at
    the very end.

    Args:
        rate: number of positions as a share of the units, 0 to 1, or a schedule.
        unit: "token", "word" or "sentence".

    Source: the insertion noise of fairseq's ``denoising_dataset`` (BART).
    """

    rate: Schedule | float = 0.1
    unit: Unit = "token"

    def __post_init__(self) -> None:
        check_rate("rate", self.rate)

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        from maskplug.kernels.spans import insertions

        candidates = units(tokens, vocab, self.unit)
        counts = budget(self.rate, candidates.counts, rng)
        starts = insertions(rng.stream_keys("insertion places"), *candidates.spans, counts)
        return Selection(starts, np.zeros_like(starts), offsets_of(counts), len(tokens.ids))

    def bound(self, lengths: IntArray) -> SelectionBound:
        inserted = max_budget(self.rate, lengths)
        return SelectionBound(np.zeros_like(lengths), inserted, inserted)
