"""Select nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.parts import Selector
from maskplug.rng import Rng
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import IntArray
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class Nothing(Selector):
    """Select nothing, for baselines without masking; ids are still checked."""

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        vocab.check(tokens)
        empty: IntArray = np.zeros(0, np.int64)
        return Selection(empty, empty, np.zeros(len(tokens) + 1, np.int64), len(tokens.ids))
