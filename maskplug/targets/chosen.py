"""What was chosen, and nothing else: a suffix, a fragment, the gap sentences."""

from __future__ import annotations

from dataclasses import dataclass

from maskplug.parts import SelectionBound, Target
from maskplug.ragged import Ragged
from maskplug.rng import Rng
from maskplug.targets.gathered import gathered
from maskplug.tokens import Masked, Selection, TokenBatch
from maskplug.types import IntArray
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class Chosen(Target):
    """The targets are the chosen tokens in their order, and the end-of-sequence token.

    Args:
        eos: whether the vocabulary's ``eos_id``, if it has one, ends every target.

    Source: prefix language modelling of Raffel et al., "T5", 2020; the gap sentences of Zhang et
    al., "PEGASUS", 2020.
    """

    predicts = "targets"

    eos: bool = True

    def build(
        self,
        tokens: TokenBatch,
        selection: Selection,
        inputs: Ragged,
        vocab: Vocabulary,
        rng: Rng,
    ) -> Masked:
        targets = gathered(tokens, selection, end=vocab.eos_id if self.eos else None)
        return Masked(inputs, selection, targets=targets)

    def bound(self, lengths: IntArray, most: SelectionBound) -> IntArray:
        return most.tokens + int(self.eos)
