"""A small archive, and an apt-get that hands out its indices."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from click.testing import CliRunner, Result

from recipes.corpora.cli import main

#: Writes down what it was asked for, and answers with what lies beside it.
FAKE = """\
#!/bin/sh
here=$(dirname "$0")
echo "$*" >> "$here/asked"
case "$*" in
    *indextargets*) cat "$here/targets" ;;
    *) cat "$here/says"; exit "$(cat "$here/status")" ;;
esac
"""
COUNT = 240


def name(number: int) -> str:
    """A word for a number: digits do not tell near duplicates apart."""
    return "".join("bcdfghklmn"[int(digit)] + "ao"[number % 2] for digit in str(number))


def stanza(number: int, language: str, synopsis: str, *paragraphs: str) -> str:
    """What Translation-xx has on a package; the sum stands for itself."""
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
    """Write an index, and return what apt says of it."""
    path = folder / f"{origin}_{suite}_{part}_{kind}-{language}"
    path.write_text("\n".join(text), encoding="utf-8")
    return "\t".join([origin, suite, part, kind, language or "$(LANGUAGE)", str(path)]) + "\n"


def make(out: Path, languages: str = "de") -> Result:
    return CliRunner().invoke(main, ["--out", str(out), "--languages", languages])
