"""Replace tokens with different ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.errors import VocabularyError
from maskplug.parts import Replacement
from maskplug.ragged import Ragged
from maskplug.rng import Rng
from maskplug.tokens import Selection, TokenBatch
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class Switch(Replacement):
    """Replace each selected token with a different ordinary token, drawn uniformly.

    Source: Wang et al., "SwitchOut", 2018. Its code may write special tokens.
    """

    def replace(
        self, tokens: TokenBatch, selection: Selection, vocab: Vocabulary, rng: Rng
    ) -> Ragged:
        ordinary = vocab.ordinary
        if len(ordinary) < 2:
            raise VocabularyError(
                f"{len(ordinary)} of {vocab.size} ids are not special; the replacement 'switch' "
                "needs at least two"
            )
        chosen = np.flatnonzero(selection.mask)
        counts = np.diff(np.searchsorted(chosen, tokens.offsets))
        steps = 1 + rng.integers("switch id", counts, len(ordinary) - 1)
        ranks = np.searchsorted(ordinary, tokens.ids[chosen])
        out = tokens.ids.copy()
        out[chosen] = ordinary[(ranks + steps) % len(ordinary)]
        return Ragged(out, tokens.offsets)
