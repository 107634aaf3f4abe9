"""Generate the selected tokens."""

from __future__ import annotations

from dataclasses import dataclass

from maskplug.parts import SelectionBound, Target
from maskplug.rng import Rng
from maskplug.targets.gathered import gathered
from maskplug.tokens import Masked, TokenBatch
from maskplug.types import IntArray
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class Chosen(Target):
    """Generate the selected tokens in their original order, then the end-of-sequence token.

    Args:
        eos: append the vocabulary's ``eos_id``, if it has one, to every target.

    Source: prefix language modelling of Raffel et al., "T5", 2020; the gap sentences of Zhang et
    al., "PEGASUS", 2020.
    """

    predicts = "targets"

    eos: bool = True

    def build(self, tokens: TokenBatch, masked: Masked, vocab: Vocabulary, rng: Rng) -> Masked:
        end = vocab.eos_id if self.eos else None
        targets = gathered(tokens, masked.selection, end=end)
        return Masked(masked.inputs, masked.selection, targets=targets)

    def bound(self, lengths: IntArray, most: SelectionBound) -> IntArray:
        return most.tokens + int(self.eos)
