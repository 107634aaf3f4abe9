"""An exact number of units, all subsets equally likely."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.parts import Schedule, SelectionBound, Selector
from maskplug.rng import Rng
from maskplug.schedule import check_rate
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import IntArray, ones, readonly
from maskplug.units import Unit, budget, exactly, max_budget, units
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class Exact(Selector):
    """Chooses ``rate`` times the units of a sample, rounded at random so that the mean is exact.

    64 tokens at 0.15 give 9 or 10 of them, 9.6 on average; a sample with anything to choose from
    gives at least one.

    Args:
        rate: from 0 to 1, or a schedule.
        unit: "token", or "word" (the budget then counts words, and whole words are chosen).

    Source: Liu et al., "RoBERTa", 2019, in the form of fairseq's ``mask_tokens_dataset``.
    """

    rate: Schedule | float = 0.15
    unit: Unit = "token"

    def __post_init__(self) -> None:
        check_rate("rate", self.rate)

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        if self.unit == "token" and "protected" not in tokens.annotations:
            return self._tokens(tokens, vocab, rng)
        candidates = units(tokens, vocab, self.unit)
        budgets = budget(self.rate, candidates.counts, rng)
        return exactly(candidates, budgets, rng.stream_keys("exact"))

    def _tokens(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        """The same for the usual case, without a list of all candidates."""
        from maskplug.kernels.select import exact_tokens

        vocab.check(tokens)
        starts, offsets = exact_tokens(
            tokens.ids,
            vocab.special,
            tokens.offsets,
            rng.stream_keys("budget"),
            readonly(rng.value(self.rate), np.float64),
            rng.stream_keys("exact"),
        )
        return Selection(starts, ones(len(starts)), offsets, len(tokens.ids))

    def bound(self, lengths: IntArray) -> SelectionBound:
        budgets = max_budget(self.rate, lengths)
        tokens = budgets if self.unit == "token" else lengths
        return SelectionBound(tokens, budgets, np.zeros_like(lengths))
