"""What was chosen, and nothing else: a suffix, a fragment, the gap sentences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.arrays import IntArray
from maskplug.parts import Most, Target
from maskplug.ragged import Ragged
from maskplug.rng import Rng
from maskplug.tokens import Masked, Selection, TokenBatch
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class Chosen(Target):
    """The targets are the chosen tokens in their order, and the end-of-sequence token.

    Args:
        eos: whether the vocabulary's ``eos_id``, if it has one, ends every target.

    Source: prefix language modelling of Raffel et al., "T5", 2020; the gap sentences of Zhang et
    al., "PEGASUS", 2020.
    """

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

        end = vocab.eos_id if self.eos and vocab.eos_id is not None else -1
        heads: IntArray = np.zeros(0, np.int64)
        made = gather_spans(
            tokens.ids, selection.starts, selection.lengths, selection.offsets, heads, end
        )
        return Masked(inputs, selection, targets=Ragged(*made))

    def bound(self, lengths: IntArray, most: Most) -> IntArray:
        return most.tokens + int(self.eos)
