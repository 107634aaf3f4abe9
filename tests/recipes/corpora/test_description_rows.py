"""Descriptions become rows of the corpora: pairs, texts, splits and near duplicates."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipes.corpora import rows
from recipes.corpora.align import pairs, translates
from recipes.corpora.packages import Package
from recipes.corpora.splitting import divide, letters, split_of
from recipes.corpora.stanzas import Description

LONG = (
    "It reads the files that it is given, one after the other,",
    "and writes what it has found in them to where it was told to write.",
)
#: A source package of the archive for each split.
SOURCES = {"train": "bash", "valid": "java-common", "test": "wine", None: "vim"}


def package(
    synopsis: str = "tool for searching files",
    paragraphs: tuple[str, ...] = LONG,
    section: str = "utils",
    translations: dict[str, Description] | None = None,
) -> Package:
    return Package("source", section, Description(synopsis, paragraphs), translations or {})


def test_translation_rows_have_synopses_and_paragraphs() -> None:
    german = Description("Programm zum Suchen", ("Es liest viele Dateien.", "Es schreibt."))
    packages = [package(translations={"de": german}), package()]
    assert [*rows.translation(packages, "de")] == [
        ("source", ("tool for searching files", "Programm zum Suchen")),
        ("source", (LONG[0], "Es liest viele Dateien.")),  # the other translation is too short
    ]
    assert not [*rows.translation(packages, "fr")]


def test_summarization_joins_paragraphs() -> None:
    assert [*rows.summarization([package()])] == [
        ("source", (" ".join(LONG), "tool for searching files"))
    ]


@pytest.mark.parametrize(
    "skipped",
    [
        package(paragraphs=tuple(text.rsplit(" ", 2)[0] for text in LONG)),
        package(paragraphs=()),
        package("searching files"),
        package("Reads (the) FILES"),  # copied from the text
    ],
)
def test_summarization_skips_short_texts_and_copied_synopses(skipped: Package) -> None:
    assert not [*rows.summarization([skipped])]


def test_classification_begins_with_the_synopsis() -> None:
    actual = rows.classification([package(paragraphs=LONG[:1])], least=1)
    assert [*actual] == [("source", (f"tool for searching files. {LONG[0]}", "utils"))]


def test_classification_skips_rare_sections_and_those_without_subject() -> None:
    none = [package(section=section) for section in ("", "doc", "localization", "misc")]
    assert not [*rows.classification([*none, package(paragraphs=("Reads files.",))], least=1)]
    many = [package(section="net")] * 3 + [package(section="hamradio")] * 2
    labels = [row[1] for _, row in rows.classification(many, least=3)]
    assert labels == ["net"] * 3


# --- pairs of texts and translations -------------------------------------------------------------


@pytest.mark.parametrize(
    ("german", "paired"),
    [
        (("Es schneidet.", "Es verbindet."), 2),
        ((), 0),
        (("Es schneidet und verbindet.",), 0),
        (("Es", "tut", "viel"), 0),
    ],
)
def test_equal_numbers_of_paragraphs_are_paired(german: tuple[str, ...], paired: int) -> None:
    english = Description("a tool", ("It cuts.", "It joins."))
    assert [*pairs(english, Description("Ein Werkzeug", german))] == [
        ("a tool", "Ein Werkzeug"),
        *list(zip(english.paragraphs, german, strict=False))[:paired],
    ]


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


# --- splits --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("split", "source"), SOURCES.items())
def test_splits_of_known_sources_are_fixed(split: str | None, source: str) -> None:
    assert split_of(source) == split


def test_splits_have_their_shares() -> None:
    counts = Counter(split_of(f"source-{i}") for i in range(20_000))
    assert counts["train"] == pytest.approx(0.91 * 20_000, rel=0.02)
    for split in ("valid", "test", None):
        assert counts[split] == pytest.approx(0.03 * 20_000, rel=0.15)


@given(st.text())
def test_letters_are_ascii_and_idempotent(text: str) -> None:
    actual = letters(text)
    assert set(actual) <= set("abcdefghijklmnopqrstuvwxyz ")
    assert letters(actual) == actual


def test_near_duplicates_are_kept_once_in_the_split_of_their_source() -> None:
    rows = [
        ("vim", ("Version 1.0 of it", "unseen")),
        ("wine", ("Version 1 of it", "test")),
        ("java-common", ("version 2 of it", "valid")),
        ("bash", ("Version 3: of it.", "train")),
        ("bash", ("VERSION 4, OF IT", "again")),
    ]
    assert divide(rows) == {"train": [rows[3][1]], "valid": [], "test": []}
    assert divide(rows[:3]) == {"train": [], "valid": [rows[2][1]], "test": []}
    assert divide(rows[:2]) == {"train": [], "valid": [], "test": [rows[1][1]]}
    assert divide(rows[:1]) == {"train": [], "valid": [], "test": []}


def test_order_depends_only_on_the_rows() -> None:
    rows = [("bash", ("a" * n, "x")) for n in range(1, 40)]
    ordered, backwards = divide(rows)["train"], divide(reversed(rows))["train"]
    assert ordered == backwards
    assert sorted(ordered) == sorted(row for _, row in rows)
    assert ordered not in (sorted(ordered), sorted(ordered, reverse=True))
