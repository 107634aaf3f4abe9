"""Generate the whole original row."""

from __future__ import annotations

from dataclasses import dataclass

from maskplug.parts import Target
from maskplug.ragged import Ragged
from maskplug.rng import Rng
from maskplug.tokens import Masked, TokenBatch
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class Original(Target):
    """Generate the original row, special tokens included.

    Source: Lewis et al., "BART", 2020: a denoising autoencoder.
    """

    predicts = "targets"

    def build(self, tokens: TokenBatch, masked: Masked, vocab: Vocabulary, rng: Rng) -> Masked:
        targets = Ragged(tokens.ids, tokens.offsets)
        return Masked(masked.inputs, masked.selection, targets=targets)
