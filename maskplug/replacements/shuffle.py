"""Move units by a few places."""

from __future__ import annotations

from dataclasses import dataclass

from maskplug.parts import Replacement
from maskplug.ragged import Ragged
from maskplug.replacements.rewritten import rearranged
from maskplug.rng import Rng
from maskplug.tokens import Selection, TokenBatch
from maskplug.units import Unit, units
from maskplug.validation.options import check_whole
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class Shuffle(Replacement):
    """Move each unit by fewer than ``distance`` places at random; the selection is ignored.

    Units are sorted by their place plus a random number below ``distance``. Special and protected
    tokens keep their places, as with ``permute``.

    Args:
        distance: at least 1 (no change).
        unit: "word" (whole words move), "token" or "sentence".

    Source: Lample et al., "Unsupervised machine translation using monolingual corpora only", 2018,
    section 2.3.
    """

    distance: int = 3
    unit: Unit = "word"

    def __post_init__(self) -> None:
        # The product with a random 32-bit word, plus the place << 32, must fit into 64 bits.
        check_whole("distance", self.distance, 1, 2**24 - 1)

    def replace(
        self, tokens: TokenBatch, selection: Selection, vocab: Vocabulary, rng: Rng
    ) -> Ragged:
        from maskplug.kernels.arrange import shuffles

        places = units(tokens, vocab, self.unit)
        order = shuffles(rng.stream_keys("shuffle"), places.offsets, self.distance)
        return rearranged(tokens, places, order)
