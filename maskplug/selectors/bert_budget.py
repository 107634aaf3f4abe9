"""BERT's budget: a share of the whole row, up to a maximum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from maskplug.parts import Schedule, Selector
from maskplug.rng import Rng
from maskplug.schedule import check_rate
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import IntArray, offsets_of
from maskplug.units import exactly, units
from maskplug.validation.options import check_whole
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class BertBudget(Selector):
    """Select as many tokens as BERT's data preparation does.

    The number is ``min(max_predictions, max(1, round(rate * length)))``, rounded half to even, and
    at most the number of maskable tokens. The length of a row includes special tokens, as in BERT,
    and excludes padding (the vocabulary's ``pad_id``). A rate of 0 selects nothing.

    Args:
        rate: share of the row, 0 to 1, or a schedule.
        max_predictions: maximum number of tokens per sample.
        unit: "token" (every subset of that size is equally likely) or "word" (whole words in random
            order, without those that would exceed the budget). If no word fits, the first one is
            selected; BERT's own code predicts nothing in this case.

    Source: Devlin et al., "BERT", 2019, and its ``create_pretraining_data.py``.
    """

    rate: Schedule | float = 0.15
    max_predictions: int = 20
    unit: Literal["token", "word"] = "token"

    def __post_init__(self) -> None:
        check_rate("rate", self.rate)
        check_whole("max_predictions", self.max_predictions, 1)

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        from maskplug.kernels.select import words_within

        candidates = units(tokens, vocab, self.unit)
        budgets = self._budgets(tokens, vocab, rng)
        if self.unit == "token":
            return exactly(candidates, budgets, rng.stream_keys("exact"))
        keys = rng.stream_keys("bert words")
        return candidates.take(words_within(keys, candidates.lengths, candidates.offsets, budgets))

    def _budgets(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> IntArray:
        pad = -1 if vocab.pad_id is None else vocab.pad_id
        not_padding = offsets_of(tokens.ids != pad)  # at each token, the number before it
        rates = rng.value(self.rate)
        counts = np.round(np.diff(not_padding[tokens.offsets]) * rates).astype(np.int64)
        return np.where(rates > 0, np.clip(counts, 1, self.max_predictions), 0)
