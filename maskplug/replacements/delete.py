"""Delete the selected tokens."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.parts import Replacement
from maskplug.ragged import Ragged
from maskplug.replacements.rewritten import rewritten
from maskplug.rng import Rng
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import IntArray
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class Delete(Replacement):
    """Delete the selected tokens.

    A model must also find the positions at which tokens are missing.

    Source: token deletion of Lewis et al., "BART", 2020.
    """

    def replace(
        self, tokens: TokenBatch, selection: Selection, vocab: Vocabulary, rng: Rng
    ) -> Ragged:
        empty: IntArray = np.zeros(0, np.int64)
        offsets = np.zeros(len(selection.starts) + 1, np.int64)
        return rewritten(tokens, selection, Ragged(empty, offsets))
