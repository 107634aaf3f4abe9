"""Words become their translations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.parts import Replacement, SelectionBound
from maskplug.preprocessing.resource import Resource
from maskplug.ragged import Ragged, gather
from maskplug.replacements import dictionary
from maskplug.replacements.rewritten import rewritten
from maskplug.rng import Rng
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import IntArray
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class Translate(Replacement):
    """Writes for each chosen word one of its translations, all equally likely.

    A span that is not in the dictionary stays as it is.

    Args:
        dictionary: a file with lines ``source ids TAB target ids``.

    Raises:
        OptionError: for a bad line; the message names file and line.

    Source: random aligned substitution of Lin et al., "Pre-training multilingual neural machine
    translation by leveraging alignment information" (mRASP), 2020.
    """

    dictionary: Resource

    def __post_init__(self) -> None:
        dictionary.read(self.dictionary)

    def replace(
        self, tokens: TokenBatch, selection: Selection, vocab: Vocabulary, rng: Rng
    ) -> Ragged:
        dictionary.check(self.dictionary, vocab)
        words = dictionary.read(self.dictionary)
        found = words.find(tokens, selection)
        drawn = rng.bits("translation", selection.counts)[found >= 0].astype(np.uint64)
        known, found = selection.take(found >= 0), found[found >= 0]
        choices = np.diff(words.offsets)[found].astype(np.uint64)
        choice = words.offsets[found] + ((drawn * choices) >> np.uint64(32)).astype(np.int64)
        index, offsets = gather(words.translations.offsets, choice)
        return rewritten(tokens, known, Ragged(words.translations.values[index], offsets))

    def bound(self, lengths: IntArray, most: SelectionBound) -> IntArray:
        growth = dictionary.read(self.dictionary).growth
        grown: IntArray = np.ceil(most.tokens * growth).astype(np.int64)
        return lengths - most.tokens + grown
