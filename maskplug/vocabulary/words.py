"""Word boundaries: a rule for pairs of neighbouring tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from maskplug.types import BoolArray, Kinds, Words, readonly
from maskplug.vocabulary.characters import Edge

#: The lower ``FIRST_BITS`` bits of a code are the first edge of a token, the upper bits the row of
#: ``joins`` for its last edge, so that two codes determine whether a word continues.
FIRST_BITS = 4
SIZE = len(Edge)

#: Edges of scripts without spaces, at which words always end.
_UNSPACED = (Edge.IDEOGRAPH, Edge.KATAKANA, Edge.COMPLEX)
_TEXT = (Edge.LETTER, Edge.DIGIT, Edge.SYMBOL, Edge.SINGLE)


def _pairs(*pairs: tuple[tuple[Edge, ...], tuple[Edge, ...]]) -> BoolArray:
    joins = np.zeros((SIZE, SIZE), np.bool_)
    for lasts, firsts in pairs:
        joins[np.ix_(lasts, firsts)] = True
    return joins


#: Boundaries at marks only; line ends and runs of spaces are separate words.
BY_MARKS = _pairs(
    ((*_TEXT, Edge.BLANK), _TEXT),
    ((Edge.SPACE,), (Edge.SPACE,)),
    ((Edge.NEWLINE,), (Edge.NEWLINE,)),
)
#: Boundaries of GPT-2's regular expression: between letters, digits, symbols and whitespace.
BY_CLASSES = _pairs(
    ((Edge.LETTER, Edge.BLANK), (Edge.LETTER,)),
    ((Edge.DIGIT, Edge.BLANK), (Edge.DIGIT,)),
    ((Edge.SYMBOL, Edge.SINGLE, Edge.BLANK), (Edge.SYMBOL,)),
    ((Edge.BLANK, Edge.SPACE, Edge.NEWLINE), (Edge.SPACE,)),
    ((Edge.BLANK, Edge.NEWLINE), (Edge.BLANK,)),
)


def with_scripts(joins: BoolArray) -> BoolArray:
    """Return ``joins`` extended to scripts without spaces and to parts of characters.

    By Unicode's word-break rules (UAX #29): each Han and Hiragana character is a word, runs of
    Katakana are words, and Thai, Lao, Khmer, Burmese and similar scripts break between characters
    with their marks. Combining marks join the preceding character; no character is split.

    Args:
        joins: bool[16, 16] by last and first edge, for letters, digits, symbols and whitespace.

    Returns:
        bool[16, 16].
    """
    full = joins.copy()
    letters = joins[Edge.LETTER, Edge.LETTER]
    after_blank = joins[Edge.BLANK, Edge.LETTER]
    full[Edge.KATAKANA, Edge.KATAKANA] = letters
    full[Edge.BLANK, [*_UNSPACED, Edge.UNKNOWN]] = after_blank
    # Bytes of unknown characters join letters, but not each other.
    full[[Edge.LETTER, Edge.UNKNOWN], [Edge.UNKNOWN, Edge.LETTER]] = letters
    full[Edge.LEADING, [Edge.COMPLEX, Edge.LETTER, Edge.SYMBOL]] = True
    visible = (*_TEXT, Edge.BLANK, *_UNSPACED, Edge.LEADING, Edge.UNKNOWN)
    full[visible, Edge.EXTEND] = True
    full[(*visible, Edge.BYTE), Edge.BYTE] = True
    return full


@dataclass(frozen=True, eq=False)
class WordRule:
    """Whether a word continues from one token to the next, by their adjacent edges.

    Attributes:
        first: uint8[size], the :class:`Edge` at the beginning of each piece.
        last: uint8[size], the edge at its end.
        joins: bool[16, 16]: ``joins[last, first]`` is True if the word continues.

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
        """Return the rule of a ``word_start`` table."""
        first = np.where(word_start, Edge.WORD, Edge.LETTER)
        return cls(first, np.full(len(first), Edge.LETTER), BY_MARKS)

    @classmethod
    def from_joins(cls, joins_next: Any) -> WordRule:
        """Return the rule of a ``joins_next`` table."""
        last = np.where(joins_next, Edge.LETTER, Edge.WORD)
        return cls(np.full(len(last), Edge.LETTER), last, BY_MARKS)

    def codes(self, special: BoolArray) -> Words:
        """Return the code of each id for ``kernels.units.word_units``: uint32[size].

        Special ids have the code 0: they belong to no word.
        """
        rows = (self.joins.astype(np.uint32) << np.arange(SIZE, dtype=np.uint32)).sum(1)
        codes = rows.astype(np.uint32)[self.last] << np.uint32(FIRST_BITS) | self.first
        codes[special] = 0
        return readonly(codes, np.uint32)

    def simplest(self, special: BoolArray) -> dict[str, Any]:
        """Return the rule as the simplest argument of ``Vocabulary``.

        ``word_start`` if the first of two tokens is irrelevant, ``joins_next`` if the second is,
        otherwise ``word_rule``.
        """
        lasts, firsts = np.unique(self.last[~special]), np.unique(self.first[~special])
        joins = self.joins[np.ix_(lasts, firsts)]
        if (joins == joins[:1]).all():
            continues = np.any(self.joins[lasts[:1]], axis=0, keepdims=True)[0]
            return {"word_start": ~continues[self.first]}
        if (joins == joins[:, :1]).all():
            continues = np.any(self.joins[:, firsts[:1]], axis=1, keepdims=True)[:, 0]
            return {"joins_next": continues[self.last]}
        return {"word_rule": self}


#: The codes of tokens that start and that continue a word.
STARTS, CONTINUES = WordRule.from_starts([True, False]).codes(np.zeros(2, np.bool_))


def token_codes(maskable: BoolArray, begins: BoolArray) -> Words:
    """Return the codes of tokens with known word starts: uint32, one per token."""
    # Arithmetic is twice as fast as np.select.
    codes = np.multiply(maskable, CONTINUES, dtype=np.uint32)
    codes -= np.multiply(maskable & begins, CONTINUES - STARTS, dtype=np.uint32)
    return readonly(codes, np.uint32)
