"""Nothing is written: chosen tokens are left out."""

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
    """Leaves the chosen tokens out, so that a model must also find where something is missing.

    Source: token deletion of Lewis et al., "BART", 2020.
    """

    def replace(
        self, tokens: TokenBatch, selection: Selection, vocab: Vocabulary, rng: Rng
    ) -> Ragged:
        nothing: IntArray = np.zeros(0, np.int64)
        return rewritten(
            tokens, selection, Ragged(nothing, np.zeros(len(selection.starts) + 1, np.int64))
        )
