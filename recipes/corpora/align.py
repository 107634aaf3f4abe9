"""Descriptions and their translations, paired synopsis by synopsis, paragraph by paragraph."""

from __future__ import annotations

from collections.abc import Iterator

from recipes.corpora.splitting import letters
from recipes.corpora.stanzas import Description

#: Words on each side: one word is a name, and what is longer than this is a list.
SHORTEST, LONGEST = 2, 150
#: Of the words of the shorter side, how many may stand on the other: more were left in English.
SHARED = 0.7


def pairs(english: Description, other: Description) -> Iterator[tuple[str, str]]:
    """What translates what.

    Paragraphs are paired when both sides have the same number: otherwise nobody knows which were
    joined.
    """
    yield english.synopsis, other.synopsis
    if len(english.paragraphs) == len(other.paragraphs):
        yield from zip(english.paragraphs, other.paragraphs, strict=True)


def translates(source: str, target: str) -> bool:
    """Whether both have the length that translations of each other have, and differ in words."""
    short, long = sorted((len(source.split()), len(target.split())))
    if short < SHORTEST or long > LONGEST or long > 2.2 * short + 4:
        return False
    one, two = (set(letters(text).split()) for text in (source, target))
    return len(one & two) <= SHARED * min(len(one), len(two))
