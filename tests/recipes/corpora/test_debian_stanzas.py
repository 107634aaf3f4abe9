"""Stanzas and descriptions in the format of Debian; invalid lines are errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from recipes.corpora.apt import Index
from recipes.corpora.packages import Package, join
from recipes.corpora.stanzas import Description, stanzas
from recipes.shared.errors import RecipeError

ENGLISH = """\
Package: hello
Description-md5: 11
Description-en: friendly  greeter
 Says hello
 to the world.
 .
 Its options are:
  * short
  * long

Package: quiet
Description-md5: 22
Description-en: says nothing


Package: hello-arm
Description-md5: 33
Description-en: greeter for arms
 .
 Waves.
"""
GERMAN = """\
Package: hello
Description-md5: 11
Description-de: Freundlicher\u00a0Gruß
 Sagt Hallo.
 .
 .
 Viel mehr nicht.

Package: gone
Description-md5: 99
Description-de: Von gestern
"""
PACKAGES = """\
Package: hello
Source: greetings (2.1-3)
Section: universe/misc
Description: friendly  greeter
Description-md5: 11

Package: hello-twin
Source: others
Section: utils
Description-md5: 11

Package: quiet
Section: net
Description-md5: 22
"""


def index(folder: Path, language: str, text: str) -> Index:
    path = folder / f"index-{language}"
    path.write_bytes(text.encode())
    return Index(language, path)


def test_fields_and_folded_lines_are_parsed(tmp_path: Path) -> None:
    first, second, third = stanzas(index(tmp_path, "en", ENGLISH).path)
    assert first["Package"] == "hello"
    assert first["Description-en"].split("\n")[1:3] == [" Says hello", " to the world."]
    assert second == {"Package": "quiet", "Description-md5": "22", "Description-en": "says nothing"}
    assert third["Description-en"].endswith("\n Waves.")


@pytest.mark.parametrize(
    ("text", "fields"),
    [("Package: a\n\nPackage: b", [{"Package": "a"}, {"Package": "b"}]), ("", [])],
    ids=["no final newline", "empty"],
)
def test_every_stanza_is_read(tmp_path: Path, text: str, fields: list[dict[str, str]]) -> None:
    assert [*stanzas(index(tmp_path, "", text).path)] == fields


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"Package: a\nnonsense\n", "line 2: not a field: 'nonsense'"),
        (b"Package: a\n\n folded: nothing\n", "line 3: not a field"),
        (b"Package: \xff\n", "not UTF-8"),
    ],
)
def test_an_invalid_index_is_an_error(tmp_path: Path, text: bytes, message: str) -> None:
    path = tmp_path / "Packages"
    path.write_bytes(text)
    with pytest.raises(RecipeError, match=message) as error:
        list(stanzas(path))
    assert str(path) in error.value.message


def test_paragraphs_are_joined_and_empty_ones_removed() -> None:
    actual = Description.parse("a  synopsis\n .\n One\n\ttwo.\n .\n .\n  * three\n  * four\n .")
    assert actual == Description("a synopsis", ("One two.", "* three * four"))
    assert Description.parse("says nothing") == Description("says nothing", ())


def test_descriptions_are_joined_with_their_packages(tmp_path: Path) -> None:
    texts = {"de": GERMAN, "en": ENGLISH, "": PACKAGES}
    actual = join([index(tmp_path, language, text) for language, text in texts.items()])
    paragraphs = ("Says hello to the world.", "Its options are: * short * long")
    hello = Description("friendly greeter", paragraphs)
    german = Description("Freundlicher Gruß", ("Sagt Hallo.", "Viel mehr nicht."))
    assert actual == [
        # The first of several packages with one description determines source and section.
        Package("greetings", "misc", hello, {"de": german}),
        Package("quiet", "net", Description("says nothing", ()), {}),
        # Packages of other architectures only appear in the translations.
        Package("hello-arm", "", Description("greeter for arms", ("Waves.",)), {}),
    ]
