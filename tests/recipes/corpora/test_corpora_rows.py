"""Packages become rows of the corpora."""

from __future__ import annotations

from recipes.corpora import rows
from recipes.corpora.packages import Package
from recipes.corpora.stanzas import Description

LONG = (
    "It reads the files that it is given, one after the other,",
    "and writes what it has found in them to where it was told to write.",
)


def package(
    synopsis: str = "tool for searching files",
    paragraphs: tuple[str, ...] = LONG,
    section: str = "utils",
    translations: dict[str, Description] | None = None,
) -> Package:
    return Package("source", section, Description(synopsis, paragraphs), translations or {})


def test_translation_rows_have_synopses_and_paragraphs() -> None:
    german = Description("Programm zum Suchen", ("Es liest viele Dateien.", "Es schreibt."))
    actual = rows.translation([package(translations={"de": german}), package()], "de")
    assert [*actual] == [
        ("source", ("tool for searching files", "Programm zum Suchen")),
        ("source", (LONG[0], "Es liest viele Dateien.")),  # the other translation is too short
    ]
    assert not [*rows.translation([package(translations={"de": german})], "fr")]


def test_summarization_joins_paragraphs() -> None:
    assert [*rows.summarization([package()])] == [
        ("source", (" ".join(LONG), "tool for searching files"))
    ]


def test_summarization_skips_short_texts() -> None:
    short = tuple(text.rsplit(" ", 2)[0] for text in LONG)
    assert not [*rows.summarization([package(paragraphs=short)])]
    assert not [*rows.summarization([package(paragraphs=())])]
    assert not [*rows.summarization([package("searching files")])]


def test_summarization_skips_copied_synopses() -> None:
    assert not [*rows.summarization([package("Reads (the) FILES")])]


def test_classification_begins_with_the_synopsis() -> None:
    actual = rows.classification([package(paragraphs=LONG[:1])], least=1)
    assert [*actual] == [("source", (f"tool for searching files. {LONG[0]}", "utils"))]


def test_classification_skips_sections_without_subject() -> None:
    none = [package(section=section) for section in ("", "doc", "localization", "misc")]
    assert not [*rows.classification([*none, package(paragraphs=("Reads files.",))], least=1)]


def test_classification_skips_rare_sections() -> None:
    many = [package(section="net")] * 3 + [package(section="hamradio")] * 2
    labels = [row[1] for _, row in rows.classification(many, least=3)]
    assert labels == ["net"] * 3
