"""Replace words with translations."""

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
from maskplug.types import IntArray, below, lengths_of
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class Translate(Replacement):
    """Replace each selected word with one of its translations, all equally likely.

    Spans that are not in the dictionary are unchanged.

    Args:
        dictionary: a file with lines ``source ids TAB target ids``.

    Raises:
        OptionError: for an invalid line; the message names the file and the line.

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
        entries = words.find(tokens, selection)
        known = entries >= 0
        drawn, entries = rng.bits("translation", selection.counts)[known], entries[known]
        choice = words.offsets[entries] + below(drawn, lengths_of(words.offsets)[entries])
        index, offsets = gather(words.translations.offsets, choice)
        written = Ragged(words.translations.values[index], offsets)
        return rewritten(tokens, selection.take(known), written)

    def bound(self, lengths: IntArray, most: SelectionBound) -> IntArray:
        growth = dictionary.read(self.dictionary).growth
        grown: IntArray = np.ceil(most.tokens * growth).astype(np.int64)
        return lengths - most.tokens + grown
