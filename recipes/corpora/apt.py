"""The indices of the archive, fetched by apt into a folder; the system's own stay as they are."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from recipes.shared.errors import RecipeError
from recipes.shared.running import Tell, lines_of
from recipes.shared.workspace import write

#: Whose packages: those of both archives that are free software and have translated descriptions.
ORIGINS, COMPONENTS = ("Debian", "Ubuntu"), ("main", "universe")

# Hooks of the system that follow an update have nothing to do with this one.
CONFIGURATION = """\
#clear Acquire::Languages;
Acquire::Languages {{ {languages} }};
Acquire::GzipIndexes "false";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"""
FIELDS = ("ORIGIN", "SUITE", "COMPONENT", "CREATED_BY", "LANGUAGE", "FILENAME")


@dataclass(frozen=True)
class Index:
    """A file of stanzas.

    Args:
        language: of its descriptions; empty for ``Packages``, which has sources and sections.
        path: where it is.
    """

    language: str
    path: Path


def fetch(folder: Path, languages: Sequence[str], tell: Tell) -> list[Index]:
    """Fetch the indices, or those that changed since they were fetched into this folder.

    Args:
        folder: where apt keeps all that it writes.
        languages: of descriptions, such as ``en``.
        tell: hears which index is fetched.

    Returns:
        At least one index of packages, and one of each language.

    Raises:
        RecipeError: when there is no apt, when it fails, and when it finds no such index.
    """
    if not shutil.which("apt-get"):
        raise RecipeError("no apt-get on this machine: the corpora are made on Debian or Ubuntu")
    folder = folder.resolve()
    log = folder / "update.log"
    for name in ("state", "lists", "cache"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    quoted = " ".join(f'"{language}";' for language in languages)
    write(folder / "apt.conf", CONFIGURATION.format(languages=quoted))
    for line in lines_of(_apt_get(folder, "update"), log, threads=1):
        # Such as "Get:4 http://… bookworm/main Translation-de [1748 kB]", in the user's language.
        if what := re.match(r"\w+:\d+ \S+ ([^[]+)", line):
            tell(0, 1, what[1].strip())
    found = _indices(folder)
    for language in ("", *languages):
        if not any(index.language == language for index in found):
            name = f"Translation-{language}" if language else "Packages"
            told = "".join(log.read_text().splitlines(keepends=True)[-15:])
            raise RecipeError(
                f"apt has no index {name} of {' or '.join(ORIGINS)} ({', '.join(COMPONENTS)}); "
                f"what it said:\n{told}"
            )
    return found


def _indices(folder: Path) -> list[Index]:
    """What apt has in this folder."""
    asked = "\t".join(f"$({field})" for field in FIELDS)
    command = _apt_get(folder, "indextargets", "--format", asked)
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RecipeError(f"apt-get indextargets failed:\n{done.stderr}")
    found = []
    for line in done.stdout.splitlines():
        origin, suite, component, kind, language, path = line.split("\t")
        # Pockets such as bookworm-updates change from day to day, and are not translated.
        if origin in ORIGINS and component in COMPONENTS and "-" not in suite:
            if kind == "Packages":
                found.append(Index("", Path(path)))
            elif kind == "Translations":
                found.append(Index(language, Path(path)))
    return found


def _apt_get(folder: Path, *words: str) -> list[str]:
    places = {"state": "state", "state::lists": "lists", "cache": "cache"}
    options = [f"-oDir::{name}={folder / place}" for name, place in places.items()]
    return ["apt-get", f"-c{folder / 'apt.conf'}", *options, *words]
