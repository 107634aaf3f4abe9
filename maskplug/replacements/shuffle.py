"""Units change places with near ones."""

from __future__ import annotations

from dataclasses import dataclass

from maskplug.parts import Replacement
from maskplug.ragged import Ragged
from maskplug.replacements.rearranged import rearranged
from maskplug.rng import Rng
from maskplug.tokens import Selection, TokenBatch
from maskplug.units import Unit, units
from maskplug.validation.options import check_whole
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class Shuffle(Replacement):
    """Orders the units of a sample by their place plus a random number below ``distance``.

    No unit moves by more than ``distance`` - 1 places. Special and protected tokens stay in front,
    between and behind, as with ``permute``. What a selector chose does not matter.

    Args:
        distance: at least 1 (which leaves everything as it is).
        unit: "word" (whole words move), "token" or "sentence".

    Source: Lample et al., "Unsupervised machine translation using monolingual corpora only", 2018,
    section 2.3.
    """

    distance: int = 3
    unit: Unit = "word"

    def __post_init__(self) -> None:
        # Times a random word of 32 bits and with a place added, it must fit into 64 bits.
        check_whole("distance", self.distance, 1, 2**24 - 1)

    def replace(
        self, tokens: TokenBatch, selection: Selection, vocab: Vocabulary, rng: Rng
    ) -> Ragged:
        from maskplug.kernels.arrange import shuffles

        places = units(tokens, vocab, self.unit)
        order = shuffles(rng.stream_keys("shuffle"), places.offsets, self.distance)
        return rearranged(tokens, places, order)
