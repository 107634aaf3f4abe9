"""Labels in place, predicted in a random order."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from maskplug.parts import Target
from maskplug.rng import Rng
from maskplug.targets.labels import Labels
from maskplug.tokens import Masked, TokenBatch
from maskplug.types import offsets_of, readonly
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class Permutation(Target):
    """Predict the original tokens in place, in the random order of the annotation ``order``.

    ``order`` is int64, one value for each input: the selected tokens of a row have the ranks 0 …
    k-1, every order equally likely, and all other tokens have -1. ``objectives.xlnet`` turns it
    into XLNet's attention masks. Requires a replacement in place.

    Source: Yang et al., "XLNet", 2019. There, special tokens take part in the order and are not
    predicted; here, they are visible to all tokens.
    """

    predicts = "order"

    def build(self, tokens: TokenBatch, masked: Masked, vocab: Vocabulary, rng: Rng) -> Masked:
        from maskplug.kernels.arrange import ranks, scatter

        masked = Labels().build(tokens, masked, vocab, rng)
        selection = masked.selection
        # The row offsets of the selected tokens.
        offsets = offsets_of(selection.lengths)[selection.offsets]
        order = np.full(len(tokens.ids), -1, np.int64)
        ranked = ranks(rng.stream_keys("permutation"), readonly(offsets, np.int64))
        scatter(order, selection.starts, selection.lengths, ranked)
        return replace(masked, annotations={"order": order})
