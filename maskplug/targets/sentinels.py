"""What stands behind each sentinel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.arrays import IntArray, frozen
from maskplug.parts import Most, Target
from maskplug.ragged import Ragged
from maskplug.replacements.sentinels import sentinels_of
from maskplug.rng import Rng
from maskplug.tokens import Masked, Selection, TokenBatch
from maskplug.units import joined
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
        from maskplug.kernels.rewrite import gather_spans

        spans = joined(selection)
        starts, lengths, offsets = spans.starts, spans.lengths, spans.offsets
        if self.final_sentinel:  # an empty span behind the others
            ends = offsets[1:]
            starts, lengths = np.insert(starts, ends, 0), np.insert(lengths, ends, 0)
            offsets = offsets + np.arange(len(offsets))
        made = gather_spans(
            tokens.ids,
            frozen(starts, np.int64),
            frozen(lengths, np.int64),
            frozen(offsets, np.int64),
            frozen(sentinels_of(tokens, offsets, vocab), np.int64),
            vocab.eos_id if self.eos and vocab.eos_id is not None else -1,
        )
        return Masked(inputs, spans, targets=Ragged(*made))

    def bound(self, lengths: IntArray, most: Most) -> IntArray:
        return most.tokens + most.spans + int(self.final_sentinel) + int(self.eos)
