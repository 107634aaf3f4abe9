"""Generate each sentinel and the tokens that it replaces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.parts import SelectionBound, Target
from maskplug.replacements.sentinels import sentinels_of
from maskplug.rng import Rng
from maskplug.targets.gathered import gathered
from maskplug.tokens import Masked, Selection, TokenBatch
from maskplug.types import IntArray
from maskplug.units import merge_adjacent
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class Sentinels(Target):
    """Generate each sentinel followed by the tokens that it replaces, from left to right.

    Args:
        final_sentinel: append one more sentinel after the last span.
        eos: append the vocabulary's ``eos_id``, if it has one, to every target.

    Source: Raffel et al., "T5", 2020, section 3.1.4. Its figure shows the final sentinel; its code
    writes one only if the last token of a sample is visible.
    """

    predicts = "targets"

    final_sentinel: bool = False
    eos: bool = True

    def build(self, tokens: TokenBatch, masked: Masked, vocab: Vocabulary, rng: Rng) -> Masked:
        spans = merge_adjacent(masked.selection)
        headed = _with_final(spans) if self.final_sentinel else spans
        heads = sentinels_of(tokens, headed.offsets, vocab)
        targets = gathered(tokens, headed, heads, vocab.eos_id if self.eos else None)
        return Masked(masked.inputs, spans, targets=targets)

    def bound(self, lengths: IntArray, most: SelectionBound) -> IntArray:
        return most.tokens + most.spans + int(self.final_sentinel) + int(self.eos)


def _with_final(spans: Selection) -> Selection:
    """Append an empty span to each sample."""
    ends = spans.offsets[1:]
    starts, lengths = np.insert(spans.starts, ends, 0), np.insert(spans.lengths, ends, 0)
    return Selection(starts, lengths, spans.offsets + np.arange(len(spans.offsets)), spans.size)
