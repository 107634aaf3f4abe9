"""A small archive of packages, and a fake apt-get with its indices."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from recipes.corpora.cli import main

#: Logs its arguments, and prints the files beside it.
FAKE_APT_GET = """\
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


def is_translated(number: int) -> bool:
    return number % 2 == 0 or number % 6 == 1


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


def write_archive(folder: Path) -> Path:
    """Write an apt-get with indices of 240 packages, 160 of them translated."""
    folder.mkdir()
    (folder / "apt-get").write_text(FAKE_APT_GET)
    (folder / "apt-get").chmod(0o755)
    (folder / "output").write_text("Get:1 mirror\nW: Some index files failed to download.\n")
    (folder / "status").write_text("0")
    numbers = range(COUNT)
    # Other archives, suites and components must not be read.
    indices = [
        ("Debian", "stable", "main", "Packages", "$(LANGUAGE)", map(package, numbers)),
        ("Debian", "stable", "main", "Translations", "en", map(english, numbers)),
        (
            "Debian",
            "stable",
            "main",
            "Translations",
            "de",
            map(german, filter(is_translated, numbers)),
        ),
        ("Debian", "stable-updates", "main", "Translations", "en", ["broken"]),
        ("Debian", "stable", "non-free", "Packages", "$(LANGUAGE)", ["broken"]),
        ("Elsewhere", "stable", "main", "Packages", "$(LANGUAGE)", ["broken"]),
        ("Debian", "stable", "main", "DEP-11", "$(LANGUAGE)", ["broken"]),
    ]
    targets = ""
    for number, (*fields, stanzas) in enumerate(indices):
        path = folder / f"index-{number}"
        path.write_text("\n".join(stanzas), encoding="utf-8")
        targets += "\t".join([*fields, str(path)]) + "\n"
    (folder / "targets").write_text(targets)
    return folder


def build(out: Path, languages: str = "de") -> Result:
    """Build the corpora with the apt-get on the path."""
    return CliRunner().invoke(main, ["--out", str(out), "--languages", languages])
