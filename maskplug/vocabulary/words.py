"""Where words begin: one rule for pairs of tokens; tables of word beginnings are cases of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from maskplug.types import BoolArray, Kinds, Words, readonly
from maskplug.vocabulary.characters import Edge

#: The bits of a code below ``FIRST_BITS`` are a token's first edge, those above are the row of
#: ``joins`` of its last one: whether a word goes on takes one look at each of two codes.
FIRST_BITS = 4
SIZE = len(Edge)

#: Scripts without blanks: the edges at which a word always ends.
_UNSPACED = (Edge.IDEOGRAPH, Edge.KATAKANA, Edge.COMPLEX)
_TEXT = (Edge.LETTER, Edge.DIGIT, Edge.SYMBOL, Edge.SINGLE)


def _pairs(*pairs: tuple[tuple[Edge, ...], tuple[Edge, ...]]) -> BoolArray:
    joins = np.zeros((SIZE, SIZE), np.bool_)
    for lasts, firsts in pairs:
        joins[np.ix_(lasts, firsts)] = True
    return joins


#: Marks alone divide text; line ends and runs of blanks are words of their own.
BY_MARKS = _pairs(
    ((*_TEXT, Edge.BLANK), _TEXT),
    ((Edge.SPACE,), (Edge.SPACE,)),
    ((Edge.NEWLINE,), (Edge.NEWLINE,)),
)
#: As GPT-2's regular expression divides: letters, digits, symbols, white space.
BY_CLASSES = _pairs(
    ((Edge.LETTER, Edge.BLANK), (Edge.LETTER,)),
    ((Edge.DIGIT, Edge.BLANK), (Edge.DIGIT,)),
    ((Edge.SYMBOL, Edge.SINGLE, Edge.BLANK), (Edge.SYMBOL,)),
    ((Edge.BLANK, Edge.SPACE, Edge.NEWLINE), (Edge.SPACE,)),
    ((Edge.BLANK, Edge.NEWLINE), (Edge.BLANK,)),
)


def with_scripts(joins: BoolArray) -> BoolArray:
    """The pairs that go on, with those of scripts without blanks and of parts of characters.

    After Unicode's word-break rules (UAX #29): Han and Hiragana characters are words of their own,
    Katakana runs together, and Thai, Lao, Khmer, Burmese and their like break between characters
    with their marks. A combining mark joins what is before it, and no character is cut.

    Args:
        joins: bool[16, 16], by last and first edge, of letters, digits, symbols and white space.

    Returns:
        bool[16, 16].
    """
    full = joins.copy()
    letters = joins[Edge.LETTER, Edge.LETTER]
    after_blank = joins[Edge.BLANK, Edge.LETTER]
    full[Edge.KATAKANA, Edge.KATAKANA] = letters
    full[Edge.BLANK, [*_UNSPACED, Edge.UNKNOWN]] = after_blank
    # Bytes of unknown characters: as letters beside letters, but never one word of them all.
    full[[Edge.LETTER, Edge.UNKNOWN], [Edge.UNKNOWN, Edge.LETTER]] = letters
    full[Edge.LEADING, [Edge.COMPLEX, Edge.LETTER, Edge.SYMBOL]] = True
    visible = (*_TEXT, Edge.BLANK, *_UNSPACED, Edge.LEADING, Edge.UNKNOWN)
    full[visible, Edge.EXTEND] = True
    full[(*visible, Edge.BYTE), Edge.BYTE] = True
    return full


@dataclass(frozen=True, eq=False)
class WordRule:
    """Whether a word goes on from one token to the next, by how they end and begin.

    Attributes:
        first: uint8[size], how each id's piece begins; see :class:`Edge`.
        last: uint8[size], how it ends.
        joins: bool[16, 16]: ``joins[last, first]`` is True where the word goes on.

    Example:
        >>> rule = WordRule.from_starts([True, False, True])
        >>> rule.joins[rule.last[:-1], rule.first[1:]].tolist()
        [True, False]
    """

    first: Kinds
    last: Kinds
    joins: BoolArray

    def __post_init__(self) -> None:
        for name, dtype in (("first", np.uint8), ("last", np.uint8), ("joins", np.bool_)):
            object.__setattr__(self, name, readonly(getattr(self, name), dtype))

    @classmethod
    def from_starts(cls, word_start: Any) -> WordRule:
        """The rule that words begin at some ids, whatever stands before them."""
        first = np.where(word_start, Edge.WORD, Edge.LETTER)
        return cls(first, np.full(len(first), Edge.LETTER), BY_MARKS)

    @classmethod
    def from_joins(cls, joins_next: Any) -> WordRule:
        """The rule that words go on behind some ids, whatever stands there."""
        last = np.where(joins_next, Edge.LETTER, Edge.WORD)
        return cls(np.full(len(last), Edge.LETTER), last, BY_MARKS)

    def codes(self, special: BoolArray) -> Words:
        """What :func:`maskplug.kernels.units.word_units` reads of each id: uint32[size].

        0 for special ids, which belong to no word.
        """
        rows = (self.joins.astype(np.uint32) << np.arange(SIZE, dtype=np.uint32)).sum(1)
        codes = rows.astype(np.uint32)[self.last] << np.uint32(FIRST_BITS) | self.first
        codes[special] = 0
        return readonly(codes, np.uint32)

    def simplest(self, special: BoolArray) -> dict[str, Any]:
        """The rule as an argument of ``Vocabulary``: as a table of ids, where one of them says it.

        ``word_start`` where the first of two tokens does not matter, ``joins_next`` where the
        second does not, else ``word_rule``.
        """
        lasts, firsts = np.unique(self.last[~special]), np.unique(self.first[~special])
        joins = self.joins[np.ix_(lasts, firsts)]
        if (joins == joins[:1]).all():
            goes_on = np.any(self.joins[lasts[:1]], axis=0, keepdims=True)[0]
            return {"word_start": ~goes_on[self.first]}
        if (joins == joins[:, :1]).all():
            goes_on = np.any(self.joins[:, firsts[:1]], axis=1, keepdims=True)[:, 0]
            return {"joins_next": goes_on[self.last]}
        return {"word_rule": self}


#: The codes of a token that begins a word, and of one that goes on with it.
BEGINS, GOES_ON = WordRule.from_starts([True, False]).codes(np.zeros(2, np.bool_))


def token_codes(maskable: BoolArray, begins: BoolArray) -> Words:
    """The codes of tokens of which it is known where a word begins: uint32, one a token."""
    # By arithmetic, which takes half as long as choosing among three values.
    codes = np.multiply(maskable, GOES_ON, dtype=np.uint32)
    codes -= np.multiply(maskable & begins, GOES_ON - BEGINS, dtype=np.uint32)
    return readonly(codes, np.uint32)
