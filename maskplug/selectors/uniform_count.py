"""Select a uniformly distributed number of units."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.parts import Selector
from maskplug.rng import Rng
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import below
from maskplug.units import Unit, exactly, units
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class UniformCount(Selector):
    """Select k units, every subset equally likely, where k is uniform from 1 to all of them.

    Args:
        unit: "token", "word" or "sentence".

    Source: Ghazvininejad et al., "Mask-Predict", 2019, section 3. Its code never masks all tokens,
    although decoding starts from a fully masked target.
    """

    unit: Unit = "token"

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        candidates = units(tokens, vocab, self.unit)
        available = candidates.counts
        words = rng.bits("uniform count", np.ones_like(available))
        counts = np.minimum(1 + below(words, available), available)
        return exactly(candidates, counts, rng.stream_keys("exact"))
