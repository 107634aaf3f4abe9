"""Select an exact number of units."""

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
    """Select ``rate`` times the units of a sample, every subset equally likely.

    The number is rounded up or down at random so that its mean is exact: 64 tokens at a rate of
    0.15 give 9 or 10, 9.6 on average. A sample with any candidate gives at least one.

    Args:
        rate: share of the units, 0 to 1, or a schedule.
        unit: "token", "word" (the budget counts words, and whole words are selected) or "sentence".

    Source: Liu et al., "RoBERTa", 2019, as in fairseq's ``mask_tokens_dataset``.
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
        """Select single tokens without building the list of all candidates."""
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
