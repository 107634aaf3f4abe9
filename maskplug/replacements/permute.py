"""Permute sentences, words or tokens."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.parts import Replacement, Schedule
from maskplug.ragged import Ragged
from maskplug.replacements.rewritten import rearranged
from maskplug.rng import Rng
from maskplug.schedule import check_rate
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import readonly
from maskplug.units import Unit, units
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class Permute(Replacement):
    """Permute the units of a sample, all orders equally likely; the selection is ignored.

    Special and protected tokens keep their places before, between and after the units; the unit at
    each place changes, and may have another length.

    Args:
        share: share of the units that are permuted, 0 to 1, or a schedule, rounded at random so
            that its mean is exact. The other units stay in place.
        unit: "sentence", "word" or "token".

    Source: sentence permutation of Lewis et al., "BART", 2020, section 2.2; deshuffling of Raffel
    et al., "T5", 2020.
    """

    share: Schedule | float = 1.0
    unit: Unit = "sentence"

    def __post_init__(self) -> None:
        check_rate("share", self.share)

    def replace(
        self, tokens: TokenBatch, selection: Selection, vocab: Vocabulary, rng: Rng
    ) -> Ragged:
        from maskplug.kernels.arrange import permutations
        from maskplug.kernels.select import budgets

        places = units(tokens, vocab, self.unit)
        counts = budgets(
            rng.stream_keys("permute share"),
            readonly(places.counts, np.int64),
            readonly(rng.value(self.share), np.float64),
        )
        order = permutations(rng.stream_keys("permute"), places.offsets, counts)
        return rearranged(tokens, places, order)
