"""Generate the selected fragment at its original positions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.errors import VocabularyError
from maskplug.parts import SelectionBound, Target
from maskplug.rng import Rng
from maskplug.targets.gathered import gathered
from maskplug.tokens import Masked, TokenBatch
from maskplug.types import IntArray
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class Fragment(Target):
    """Generate the selected tokens, with the decoder's inputs and position ids.

    ``target_annotations`` holds one value for each target token: ``position_ids``, its position in
    the original row, counted from 0, and ``decoder_input_ids``, the original token before it. For
    the first token of a row this is the first of ``bos_id``, ``eos_id`` and ``pad_id`` that the
    vocabulary has.

    Raises:
        VocabularyError: if the vocabulary has none of the three.

    Source: Song et al., "MASS", 2019: the decoder reads only the fragment, at its own positions.
    """

    predicts = "targets"

    def build(self, tokens: TokenBatch, masked: Masked, vocab: Vocabulary, rng: Rng) -> Masked:
        targets = gathered(tokens, masked.selection)
        sources = targets.sources
        assert sources is not None
        positions = sources - np.repeat(tokens.offsets[:-1], targets.lengths)
        before = np.where(positions > 0, tokens.ids[sources - 1], _decoder_start(vocab))
        annotations = {"position_ids": positions, "decoder_input_ids": before}
        return Masked(
            masked.inputs, masked.selection, targets=targets, target_annotations=annotations
        )

    def bound(self, lengths: IntArray, most: SelectionBound) -> IntArray:
        return most.tokens


def _decoder_start(vocab: Vocabulary) -> int:
    for token in (vocab.bos_id, vocab.eos_id, vocab.pad_id):
        if token is not None:
            return token
    raise VocabularyError(
        "the target 'fragment' writes a token before the first one of a row, and this vocabulary "
        "has neither bos_id nor eos_id nor pad_id; give it one of them"
    )
