"""Select salient spans such as names and dates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from maskplug.parts import Schedule, Selector
from maskplug.rng import Rng
from maskplug.schedule import check_rate
from maskplug.selectors.annotation import whole_numbers
from maskplug.selectors.spans import Spans
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import offsets_of
from maskplug.units import budget, exactly, runs, units
from maskplug.validation.options import check_whole
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class Salient(Selector):
    """Select whole spans that the annotation ``salient`` marks.

    The annotation holds an integer for each token: 0 outside of spans, and the same positive number
    on all tokens of a span. ``maskplug.salient_layer`` creates it from character spans. A token
    that cannot be masked ends a span.

    Args:
        spans: number of spans per sample, every subset equally likely; ignored if ``rate`` is set.
        rate: share of the sample's tokens, 0 to 1, or a schedule: spans are selected in random
            order until it is reached; the last one is treated as in ``words``.
        otherwise: what to select in samples without a salient span: "span" (geometric spans of
            words at ``rate``, by default 0.15) or "nothing".

    Source: salient span masking of Guu et al., "REALM", 2020.
    """

    spans: int = 1
    rate: Schedule | float | None = None
    otherwise: Literal["span", "nothing"] = "span"

    required_annotations = ("salient",)

    def __post_init__(self) -> None:
        if self.rate is not None:
            check_rate("rate", self.rate)
        check_whole("spans", self.spans, 1)

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        candidates = self.units(tokens, vocab)
        chosen = self._chosen(candidates, tokens, vocab, rng)
        without = candidates.counts == 0
        if self.otherwise == "nothing" or not without.any():
            return chosen
        others = Spans(0.15 if self.rate is None else self.rate).select(tokens, vocab, rng)
        return _union(chosen, others.take(without[others.rows]))

    def units(self, tokens: TokenBatch, vocab: Vocabulary) -> Selection:
        """Return all salient spans, without tokens that cannot be masked."""
        numbers = whole_numbers(tokens, "salient", "the number of each token's salient span, or 0")
        begins = np.ones(len(numbers), np.bool_)
        begins[1:] = numbers[1:] != numbers[:-1]
        return runs(vocab.maskable(tokens) & (numbers > 0), begins, tokens)

    def _chosen(
        self, candidates: Selection, tokens: TokenBatch, vocab: Vocabulary, rng: Rng
    ) -> Selection:
        from maskplug.kernels.select import words_to_budget

        keys = rng.stream_keys("salient")
        if self.rate is None:
            return exactly(candidates, np.full(len(candidates), self.spans), keys)
        budgets = budget(self.rate, units(tokens, vocab).counts, rng)
        return candidates.take(
            words_to_budget(keys, candidates.lengths, candidates.offsets, budgets)
        )


def _union(a: Selection, b: Selection) -> Selection:
    """Return the spans of two selections of the same batch that select in different samples."""
    starts, lengths = np.append(a.starts, b.starts), np.append(a.lengths, b.lengths)
    order = np.argsort(starts, kind="stable")
    return Selection(starts[order], lengths[order], offsets_of(a.counts + b.counts), a.size)
