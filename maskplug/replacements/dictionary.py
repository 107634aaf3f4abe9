"""A dictionary of words as ids: read from a file once, looked up by a hash of the ids."""

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
        words: the ids of each different word.
        translations: the ids of all translations, those of one word one after the other.
        offsets: which translations belong to which word: int64, one longer than there are words.
        lines: the line of the file that each translation is from.
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
        """The number of the word that each span is, or -1: int64."""
        from maskplug.kernels.lookup import look_up

        found: IntArray = look_up(
            tokens.ids,
            spans.starts,
            spans.lengths,
            self.words.values,
            self.words.offsets,
            self._table,
        )
        return found

    @cached_property
    def growth(self) -> float:
        """How many tokens a token can become at most, and at least 1."""
        longest = np.maximum.reduceat(self.translations.lengths, self.offsets[:-1])
        return max(1.0, float((longest / self.words.lengths).max()))


@lru_cache(maxsize=16)
def read(resource: Resource) -> Dictionary:
    """The dictionary in a file; the same file is read once in a process.

    Each line is ``source ids TAB target ids``, ids with blanks between them. Several lines with one
    source are several translations; a line that stands there twice counts once. Empty lines do not
    count.

    Raises:
        OptionError: for a line of another form (the message names it), for a file without any,
            and for one whose content is not that of the digest any more.
    """
    # Made anew, so that a file which has changed since is noticed and not read.
    lines = Resource.of({"path": resource.path, "digest": resource.digest}).lines()
    words: dict[tuple[int, ...], dict[tuple[int, ...], int]] = {}
    for number, line in enumerate(lines, 1):
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
    all_of = [pair for targets in words.values() for pair in targets.items()]
    return Dictionary(
        Ragged.of(list(words)),
        Ragged.of([target for target, _ in all_of]),
        offsets_of([len(targets) for targets in words.values()]),
        np.array([number for _, number in all_of], np.int64),
    )


def _id(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 18):
        raise ValueError(text)
    return int(text)


@lru_cache(maxsize=16)
def check(resource: Resource, vocab: Vocabulary) -> None:
    """Refuse a dictionary whose translations this vocabulary cannot write.

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
