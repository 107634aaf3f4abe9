"""The chosen fragment, for a decoder that knows where it stands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.errors import VocabularyError
from maskplug.parts import SelectionBound, Target
from maskplug.ragged import Ragged
from maskplug.rng import Rng
from maskplug.targets.gathered import gathered
from maskplug.tokens import Masked, Selection, TokenBatch
from maskplug.types import IntArray
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class Fragment(Target):
    """The targets are the chosen tokens; two layers say where they stood and what came before.

    ``target_layers`` holds, one value for each target: ``position_ids``, its place in the original
    row, counted from 0; and ``decoder_input_ids``, the original token before it. Before the first
    token of a row that is the vocabulary's ``bos_id`` or, without one, its ``eos_id`` or its
    ``pad_id``.

    Raises:
        VocabularyError: when the vocabulary has none of the three.

    Source: Song et al., "MASS", 2019: the decoder reads the fragment only, at its own positions.
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
        targets = gathered(tokens, selection)
        places = targets.sources
        assert places is not None  # it has them
        positions = places - np.repeat(tokens.offsets[:-1], targets.lengths)
        before = np.where(positions > 0, tokens.ids[places - 1], _first(vocab))
        annotations = {"position_ids": positions, "decoder_input_ids": before}
        return Masked(inputs, selection, targets=targets, target_annotations=annotations)

    def bound(self, lengths: IntArray, most: SelectionBound) -> IntArray:
        return most.tokens


def _first(vocab: Vocabulary) -> int:
    for own in (vocab.bos_id, vocab.eos_id, vocab.pad_id):
        if own is not None:
            return own
    raise VocabularyError(
        "the target 'fragment' writes a token before the first one of a row, and this vocabulary "
        "has neither bos_id nor eos_id nor pad_id; give it one of them"
    )
