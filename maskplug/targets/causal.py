"""Labels for causal language models."""

from __future__ import annotations

from dataclasses import dataclass

from maskplug.parts import Target
from maskplug.ragged import Ragged
from maskplug.rng import Rng
from maskplug.tokens import Masked, TokenBatch
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class Causal(Target):
    """Predict every input token, special tokens included: the labels are a copy of the inputs.

    Labels are not shifted: causal models compare the output at each position with the label at the
    next one.

    Source: Bavarian et al., "Efficient training of language models to fill in the middle", 2022:
    the loss covers all parts of a rearranged text.
    """

    predicts = "labels"
    each_input = True

    def build(self, tokens: TokenBatch, masked: Masked, vocab: Vocabulary, rng: Rng) -> Masked:
        inputs = masked.inputs
        return Masked(inputs, masked.selection, labels=Ragged(inputs.values, inputs.offsets))
