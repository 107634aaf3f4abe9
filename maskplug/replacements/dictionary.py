"""Dictionaries of token ids, read from files."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from maskplug.errors import OptionError, VocabularyError, shortened
from maskplug.preprocessing.resource import Resource
from maskplug.ragged import Ragged
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import IntArray, offsets_of, readonly
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True, eq=False)
class Dictionary:
    """The words of a dictionary and their translations.

    Attributes:
        words: ids of each distinct word.
        translations: ids of all translations, grouped by word.
        offsets: row offsets of the words' translations, int64.
        lines: line of the file of each translation.
    """

    words: Ragged
    translations: Ragged
    offsets: IntArray
    lines: IntArray

    @cached_property
    def _table(self) -> IntArray:
        from maskplug.kernels.lookup import build_table

        slots = 1 << max(2 * len(self.words), 1).bit_length()
        table: IntArray = build_table(self.words.values, self.words.offsets, slots)
        return readonly(table, np.int64)

    def find(self, tokens: TokenBatch, spans: Selection) -> IntArray:
        """Return the index of the word that each span equals, or -1: int64."""
        from maskplug.kernels.lookup import look_up

        entries: IntArray = look_up(
            tokens.ids,
            spans.starts,
            spans.lengths,
            self.words.values,
            self.words.offsets,
            self._table,
        )
        return entries

    @cached_property
    def growth(self) -> float:
        """The largest number of tokens that replace one token, at least 1."""
        longest = np.maximum.reduceat(self.translations.lengths, self.offsets[:-1])
        return max(1.0, float((longest / self.words.lengths).max()))


@lru_cache(maxsize=16)
def read(resource: Resource) -> Dictionary:
    """Return the dictionary in a file; each file is read once per process.

    Each line is ``source ids TAB target ids``, ids separated by spaces. Several lines with the same
    source are several translations; duplicate and empty lines are ignored.

    Raises:
        OptionError: for an invalid line (the message names it), for a file without words, and for a
            file whose content does not match the digest.
    """
    words: dict[tuple[int, ...], dict[tuple[int, ...], int]] = {}
    for number, line in enumerate(resource.lines(), 1):
        if not line.strip():
            continue
        try:
            source, target = (tuple(map(_id, side.split())) for side in line.split("\t"))
        except ValueError:
            source = target = ()
        if not source or not target:
            raise OptionError(
                f"{resource.path}, line {number}: {shortened(line)} is not of the form 'source ids "
                "TAB target ids', such as '17 4\\t233' (maskplug dictionary writes such a file)"
            )
        words.setdefault(source, {}).setdefault(target, number)
    if not words:
        raise OptionError(f"{resource.path} holds no words")
    translations = [pair for targets in words.values() for pair in targets.items()]
    return Dictionary(
        Ragged.of(list(words)),
        Ragged.of([target for target, _ in translations]),
        offsets_of([len(targets) for targets in words.values()]),
        np.array([number for _, number in translations], np.int64),
    )


def _id(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 18):
        raise ValueError(text)
    return int(text)


@lru_cache(maxsize=16)
def check(resource: Resource, vocab: Vocabulary) -> None:
    """Check that a vocabulary has all ids of the translations as ordinary tokens.

    Raises:
        VocabularyError: for a translation with a special id, or one outside the vocabulary.
    """
    translations, lines = read(resource).translations, read(resource).lines
    within = translations.values < vocab.size
    wrong = ~within | vocab.special[np.where(within, translations.values, 0)]
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        line = lines[np.searchsorted(translations.offsets, at, side="right") - 1]
        raise VocabularyError(
            f"{resource.path}, line {line}: the id {translations.values[at]} is special or outside "
            f"the vocabulary of {vocab.size} ids, and translations are made of ordinary tokens; "
            "was the file made for another tokenizer?"
        )
