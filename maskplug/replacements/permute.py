"""Units change places at random: sentences, words or tokens."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.parts import Replacement, Schedule
from maskplug.ragged import Ragged
from maskplug.replacements.rearranged import rearranged
from maskplug.rng import Rng
from maskplug.schedule import check_rate
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import readonly
from maskplug.units import Unit, units
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class Permute(Replacement):
    """Shuffles the units of a sample among themselves, all orders equally likely.

    The order of the input is one of them. Special and protected tokens stay in front, between and
    behind: the n-th place between two of them gets another unit, of another length perhaps. What a
    selector chose does not matter.

    Args:
        share: how many of the units change places, from 0 to 1, or a schedule; the number is
            rounded at random so that the mean is exact. The others stay in their places.
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
