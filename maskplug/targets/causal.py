"""Every input is predicted, as a language model does."""

from __future__ import annotations

from dataclasses import dataclass

from maskplug.parts import Target
from maskplug.ragged import Ragged
from maskplug.rng import Rng
from maskplug.tokens import Masked, Selection, TokenBatch
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class Causal(Target):
    """One label for each input, the input itself, special tokens included.

    Labels are not shifted: causal models compare the output at each token with the label of the
    next one.

    Source: Bavarian et al., "Efficient training of language models to fill in the middle", 2022:
    the loss is on all parts of a rearranged text.
    """

    predicts = "labels"
    each_input = True

    def build(
        self,
        tokens: TokenBatch,
        selection: Selection,
        inputs: Ragged,
        vocab: Vocabulary,
        rng: Rng,
    ) -> Masked:
        return Masked(inputs, selection, labels=Ragged(inputs.values, inputs.offsets))
