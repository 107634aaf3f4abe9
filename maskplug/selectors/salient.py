"""Whole salient spans: names, dates, whatever somebody found worth predicting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from maskplug.parts import Schedule, Selector
from maskplug.rng import Rng
from maskplug.schedule import check_rate
from maskplug.selectors.layer import whole_numbers
from maskplug.selectors.spans import Spans
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import offsets_of
from maskplug.units import budget, exactly, runs, units
from maskplug.validation.options import check_whole
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class Salient(Selector):
    """Chooses spans that the layer ``salient`` marks, all tokens of a span together.

    The layer holds a whole number for each token: 0 outside of spans, and the same number, above 0,
    on the neighbouring tokens of one span. ``maskplug.salient_layer`` makes it from spans of
    characters. A token that cannot be masked ends a span.

    Args:
        spans: how many spans of a sample are chosen, all subsets equally likely.
        rate: instead of ``spans``, a share of the sample's tokens, from 0 to 1, or a schedule:
            spans are chosen in random order until it is reached, the last one as ``words`` does.
            Without rate, the number of ``spans`` counts.
        otherwise: what is chosen where a sample has no salient span: "span" for geometric spans of
            words at ``rate`` (0.15 without it), or "nothing".

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
        return _joined(chosen, others.take(without[others.rows]))

    def units(self, tokens: TokenBatch, vocab: Vocabulary) -> Selection:
        """All salient spans, as far as they may be masked."""
        layer = whole_numbers(tokens, "salient", "the number of each token's salient span, or 0")
        there = vocab.maskable(tokens) & (layer > 0)
        begins = np.ones(len(layer), np.bool_)
        begins[1:] = layer[1:] != layer[:-1]
        return runs(there, begins, tokens)

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


def _joined(some: Selection, others: Selection) -> Selection:
    """The spans of two selections, each of which chooses in other samples of one batch."""
    starts = np.concatenate((some.starts, others.starts))
    lengths = np.concatenate((some.lengths, others.lengths))
    order = np.argsort(starts, kind="stable")
    return Selection(
        starts[order], lengths[order], offsets_of(some.counts + others.counts), some.size
    )
