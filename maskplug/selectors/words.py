"""Select whole words up to a budget of tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from maskplug.parts import Schedule, Selector
from maskplug.rng import Rng
from maskplug.schedule import check_rate
from maskplug.tokens import Selection, TokenBatch
from maskplug.units import Unit, budget, units
from maskplug.vocabulary import Vocabulary


def until_spent(candidates: Selection, rate: Schedule | float, rng: Rng) -> Selection:
    """Select units in random order until ``rate`` times the tokens of all units are selected.

    The unit that would exceed the budget is selected with probability (budget left) / (its length).
    """
    from maskplug.kernels.rows import row_sums
    from maskplug.kernels.select import words_to_budget

    budgets = budget(rate, row_sums(candidates.lengths, candidates.offsets), rng)
    keys = rng.stream_keys("words")
    chosen = words_to_budget(keys, candidates.lengths, candidates.offsets, budgets)
    return candidates.take(chosen)


@dataclass(frozen=True)
class Words(Selector):
    """Select whole words in random order until ``rate`` times the sample's *tokens* are selected.

    The word that would exceed the budget is selected with probability (budget left) / (its length),
    so that the number of tokens is within one word of the budget and exact on average. At least one
    word is selected; BERT's rule skips words that do not fit, and predicts nothing in samples of
    long words.

    Args:
        rate: share of the tokens, 0 to 1, or a schedule.

    Source: whole word masking of google-research/bert (2019), with the change described above.
    """

    rate: Schedule | float = 0.15

    unit: ClassVar[Unit] = "word"

    def __post_init__(self) -> None:
        check_rate("rate", self.rate)

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        return until_spent(units(tokens, vocab, "word"), self.rate, rng)
