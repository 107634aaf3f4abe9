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

#: The archives and components with free software and translated descriptions.
ORIGINS, COMPONENTS = ("Debian", "Ubuntu"), ("main", "universe")

# The update hooks of the system must not run.
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
    """An index file.

    Args:
        language: of its descriptions; empty for ``Packages``, which has sources and sections.
        path: the file.
    """

    language: str
    path: Path


def fetch(folder: Path, languages: Sequence[str], tell: Tell) -> list[Index]:
    """Fetch the indices that changed since they were last fetched into this folder.

    Args:
        folder: the folder for all files of apt.
        languages: of the descriptions, such as ``en``.
        tell: receives the name of each index that is fetched.

    Returns:
        At least one index of packages, and one of each language.

    Raises:
        RecipeError: if apt is missing, fails, or has no such index.
    """
    if not shutil.which("apt-get"):
        raise RecipeError("apt-get is missing; build the corpora on Debian or Ubuntu")
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
    indices = _indices(folder)
    for language in ("", *languages):
        if not any(index.language == language for index in indices):
            name = f"Translation-{language}" if language else "Packages"
            output = "".join(log.read_text().splitlines(keepends=True)[-15:])
            raise RecipeError(
                f"apt has no index {name} of {' or '.join(ORIGINS)} ({', '.join(COMPONENTS)}); "
                f"its output:\n{output}"
            )
    return indices


def _indices(folder: Path) -> list[Index]:
    """Return the indices in this folder."""
    columns = "\t".join(f"$({field})" for field in FIELDS)
    command = _apt_get(folder, "indextargets", "--format", columns)
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RecipeError(f"apt-get indextargets failed:\n{done.stderr}")
    indices = []
    for line in done.stdout.splitlines():
        origin, suite, component, kind, language, path = line.split("\t")
        # Pockets such as bookworm-updates change daily and are not translated.
        if origin in ORIGINS and component in COMPONENTS and "-" not in suite:
            if kind == "Packages":
                indices.append(Index("", Path(path)))
            elif kind == "Translations":
                indices.append(Index(language, Path(path)))
    return indices


def _apt_get(folder: Path, *words: str) -> list[str]:
    folders = {"state": "state", "state::lists": "lists", "cache": "cache"}
    options = [f"-oDir::{name}={folder / place}" for name, place in folders.items()]
    return ["apt-get", f"-c{folder / 'apt.conf'}", *options, *words]
