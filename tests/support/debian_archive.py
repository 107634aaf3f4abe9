"""A small archive, and a fake apt-get with its indices."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from click.testing import CliRunner, Result

from recipes.corpora.cli import main

#: Logs its arguments, and prints the files beside it.
FAKE = """\
#!/bin/sh
here=$(dirname "$0")
echo "$*" >> "$here/arguments"
case "$*" in
    *indextargets*) cat "$here/targets" ;;
    *) cat "$here/output"; exit "$(cat "$here/status")" ;;
esac
"""
COUNT = 240


def name(number: int) -> str:
    """Return a word for a number; digits do not count for near duplicates."""
    return "".join("bcdfghklmn"[int(digit)] + "ao"[number % 2] for digit in str(number))


def stanza(number: int, language: str, synopsis: str, *paragraphs: str) -> str:
    """Return the stanza of a package in Translation-xx."""
    text = "\n .\n".join(f" {paragraph}" for paragraph in paragraphs)
    return (
        f"Package: lib{name(number)}\nDescription-md5: {number:032x}\n"
        f"Description-{language}: {synopsis}\n{text}\n"
    )


def english(number: int) -> str:
    word = name(number)
    purpose = f"Lib{word} gives programs what they need to read {word} files,\n and to write them."
    contents = f"This package has the files\n of {word} that programs need while they run, no more."
    return stanza(number, "en", f"shared library of {word}", purpose, contents)


def german(number: int) -> str:
    word = name(number)
    if number % 3 == 1:  # a paragraph is missing
        return stanza(number, "de", f"Bibliothek für {word}", f"Ohne {word} geht es nicht.")
    purpose = f"Mit lib{word} lesen und schreiben\n Programme die Dateien, die {word} heißen."
    contents = "Dieses Paket enthält alles, was Programme brauchen, während sie laufen."
    return stanza(number, "de", f"Bibliothek für {word}", purpose, contents)


def package(number: int) -> str:
    section = "video" if number % 40 == 0 else "universe/libs"
    return (
        f"Package: lib{name(number)}\nSource: {name(number)} (1:{number})\nSection: {section}\n"
        f"Description: shared library of {name(number)}\nDescription-md5: {number:032x}\n"
    )


def lay(
    folder: Path, origin: str, suite: str, part: str, kind: str, language: str, text: Iterable[str]
) -> str:
    """Write an index, and return its line in the output of apt."""
    path = folder / f"{origin}_{suite}_{part}_{kind}-{language}"
    path.write_text("\n".join(text), encoding="utf-8")
    return "\t".join([origin, suite, part, kind, language or "$(LANGUAGE)", str(path)]) + "\n"


def make(out: Path, languages: str = "de") -> Result:
    return CliRunner().invoke(main, ["--out", str(out), "--languages", languages])
