"""Select words that are in a dictionary."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.parts import Schedule, Selector
from maskplug.preprocessing.resource import Resource
from maskplug.replacements import dictionary
from maskplug.rng import Rng
from maskplug.schedule import check_rate
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import thresholds
from maskplug.units import Unit, units
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class InDictionary(Selector):
    """Select each unit that is in a dictionary with probability ``rate``, and no other.

    Nothing is selected in samples without a word of the dictionary.

    Args:
        dictionary: a file with lines ``source ids TAB target ids``.
        rate: probability of each unit in the dictionary, 0 to 1, or a schedule.
        unit: unit to look up, "word" or "token".

    Raises:
        OptionError: for an invalid line; the message names the file and the line.

    Source: random aligned substitution of Lin et al. (mRASP), 2020.
    """

    dictionary: Resource
    rate: Schedule | float = 0.3
    unit: Unit = "word"

    def __post_init__(self) -> None:
        check_rate("rate", self.rate)
        dictionary.read(self.dictionary)

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        candidates = units(tokens, vocab, self.unit)
        limits = thresholds(rng.value(self.rate))
        words = rng.bits("in dictionary", candidates.counts).astype(np.uint64)
        drawn = words < np.repeat(limits, candidates.counts)
        entries = dictionary.read(self.dictionary).find(tokens, candidates)
        return candidates.take(drawn & (entries >= 0))
