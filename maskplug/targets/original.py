"""The whole original, as it was before any noise."""

from __future__ import annotations

from dataclasses import dataclass

from maskplug.parts import Target
from maskplug.ragged import Ragged
from maskplug.rng import Rng
from maskplug.tokens import Masked, Selection, TokenBatch
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class Original(Target):
    """The targets are the original row, special tokens included.

    Source: Lewis et al., "BART", 2020: a denoising autoencoder.
    """

    predicts = "targets"

    def build(
        self,
        tokens: TokenBatch,
        selection: Selection,
        inputs: Ragged,
        vocab: Vocabulary,
        rng: Rng,
    ) -> Masked:
        return Masked(inputs, selection, targets=Ragged(tokens.ids, tokens.offsets))
