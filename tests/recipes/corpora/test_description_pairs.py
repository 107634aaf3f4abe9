"""Texts are paired with their translations, and untranslated pairs are dropped."""

from __future__ import annotations

import pytest

from recipes.corpora.align import pairs, translates
from recipes.corpora.stanzas import Description


def test_paragraphs_are_paired_in_order() -> None:
    english = Description("a tool", ("It cuts.", "It joins."))
    german = Description("Ein Werkzeug", ("Es schneidet.", "Es verbindet."))
    assert [*pairs(english, german)] == [
        ("a tool", "Ein Werkzeug"),
        ("It cuts.", "Es schneidet."),
        ("It joins.", "Es verbindet."),
    ]


@pytest.mark.parametrize("there", [(), ("Es schneidet und verbindet.",), ("Es", "tut", "viel")])
def test_unequal_paragraph_counts_pair_only_the_synopsis(there: tuple[str, ...]) -> None:
    english = Description("a tool", ("It cuts.", "It joins."))
    assert [*pairs(english, Description("Ein Werkzeug", there))] == [("a tool", "Ein Werkzeug")]


def words(letter: str, count: int) -> str:
    """Return different words of one letter."""
    return " ".join(letter * n for n in range(1, count + 1))


@pytest.mark.parametrize(
    ("source", "target", "fits"),
    [
        (1, 2, False), (2, 1, False), (2, 2, True), (2, 8, True), (2, 9, False), (8, 2, True),
        (9, 2, False), (3, 10, True), (3, 11, False), (29, 67, True), (29, 68, False),
        (150, 150, True), (150, 151, False), (0, 0, False),
    ],
)  # fmt: skip
def test_implausible_lengths_are_not_translations(source: int, target: int, fits: bool) -> None:
    assert translates(words("a", source), words("b", target)) == fits


@pytest.mark.parametrize(
    ("source", "target", "fits"),
    [
        ("Internet Relay Chat client", "Internet Relay Chat Client", False),
        ("Telnet tunnel for dCache", "Telnet-Tunnel für dCache", False),
        ("DjVu runtime library", "Laufzeitbibliothek für DjVu", True),
        ("one two three 4", "one two drei 4", True),  # 2 of 3: digits are not words
        ("1.2 3.4", "5.6 7.8", True),
    ],
)
def test_untranslated_texts_are_not_translations(source: str, target: str, fits: bool) -> None:
    assert translates(source, target) == fits
