"""What stands behind each sentinel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.parts import SelectionBound, Target
from maskplug.ragged import Ragged
from maskplug.replacements.sentinels import sentinels_of
from maskplug.rng import Rng
from maskplug.targets.gathered import gathered
from maskplug.tokens import Masked, Selection, TokenBatch
from maskplug.types import IntArray
from maskplug.units import merge_adjacent
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class Sentinels(Target):
    """The targets are each sentinel and the tokens that it stands for, in the order of the inputs.

    Args:
        final_sentinel: whether one more sentinel ends the last span.
        eos: whether the vocabulary's ``eos_id``, if it has one, ends every target.

    Source: Raffel et al., "T5", 2020, section 3.1.4; the figure there has the final sentinel, and
    its code writes it only where the last token of a sample is visible.
    """

    predicts = "targets"

    final_sentinel: bool = False
    eos: bool = True

    def build(
        self,
        tokens: TokenBatch,
        selection: Selection,
        inputs: Ragged,
        vocab: Vocabulary,
        rng: Rng,
    ) -> Masked:
        spans = merge_adjacent(selection)
        headed = _with_final(spans) if self.final_sentinel else spans
        heads = sentinels_of(tokens, headed.offsets, vocab)
        targets = gathered(tokens, headed, heads, vocab.eos_id if self.eos else None)
        return Masked(inputs, spans, targets=targets)

    def bound(self, lengths: IntArray, most: SelectionBound) -> IntArray:
        return most.tokens + most.spans + int(self.final_sentinel) + int(self.eos)


def _with_final(spans: Selection) -> Selection:
    """One more span for each sample, an empty one behind the others."""
    ends = spans.offsets[1:]
    starts, lengths = np.insert(spans.starts, ends, 0), np.insert(spans.lengths, ends, 0)
    return Selection(starts, lengths, spans.offsets + np.arange(len(spans.offsets)), spans.size)
