"""Pair the synopses and paragraphs of descriptions with their translations."""

from __future__ import annotations

from collections.abc import Iterator

from recipes.corpora.splitting import letters
from recipes.corpora.stanzas import Description

#: Words on each side: a single word is a name, and longer texts are lists.
SHORTEST, LONGEST = 2, 150
#: The share of words that both sides may have in common; more means untranslated English.
SHARED = 0.7


def pairs(english: Description, other: Description) -> Iterator[tuple[str, str]]:
    """Yield pairs of texts and translations.

    Paragraphs are only paired if both sides have the same number.
    """
    yield english.synopsis, other.synopsis
    if len(english.paragraphs) == len(other.paragraphs):
        yield from zip(english.paragraphs, other.paragraphs, strict=True)


def translates(source: str, target: str) -> bool:
    """Return whether the lengths are plausible for a translation and enough words differ."""
    short, long = sorted((len(source.split()), len(target.split())))
    if short < SHORTEST or long > LONGEST or long > 2.2 * short + 4:
        return False
    one, two = (set(letters(text).split()) for text in (source, target))
    return len(one & two) <= SHARED * min(len(one), len(two))
