"""Labels in place, to be predicted in a random order."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from maskplug.parts import Target
from maskplug.ragged import Ragged
from maskplug.rng import Rng
from maskplug.targets.labels import Labels
from maskplug.tokens import Masked, Selection, TokenBatch
from maskplug.types import offsets_of, readonly
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class Permutation(Target):
    """One label for each chosen token, and a layer ``order`` that says when it is predicted.

    ``order`` is int64, one for each input: the chosen tokens of a row have the ranks 0 … k-1, every
    order equally likely, and all others -1. ``objectives.xlnet`` makes of it who may see whom.

    Needs inputs of the same length as the original. Source: Yang et al., "XLNet", 2019. There the
    special tokens take part in the order and are not predicted; here they are seen by all.
    """

    predicts = "order"

    def build(
        self,
        tokens: TokenBatch,
        selection: Selection,
        inputs: Ragged,
        vocab: Vocabulary,
        rng: Rng,
    ) -> Masked:
        from maskplug.kernels.order import ranks, scatter

        masked = Labels().build(tokens, selection, inputs, vocab, rng)
        chosen = offsets_of(selection.lengths)[selection.offsets]  # of each row's chosen tokens
        order = np.full(len(tokens.ids), -1, np.int64)
        ranked = ranks(rng.stream_keys("permutation"), readonly(chosen, np.int64))
        scatter(order, selection.starts, selection.lengths, ranked)
        return replace(masked, annotations={"order": order})
