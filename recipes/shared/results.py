"""Read and write results.json, with one entry per scored run."""

from __future__ import annotations

import json
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from filelock import FileLock

from recipes.shared.errors import RecipeError
from recipes.shared.plan import Run
from recipes.shared.workspace import write

Entry = dict[str, Any]
PACKAGES = ("maskplug", "torch", "transformers", "fairseq-fixed", "numpy", "sentencepiece")
#: The keys that identify an entry; its settings are compared by ``fingerprint``.
IDENTITY = ("recipe", "corpus", "framework", "strategy", "seed")


def read(path: Path) -> list[Entry]:
    """Return the entries of a file; none if it does not exist.

    Raises:
        RecipeError: if the file contains something else.
    """
    if not path.exists():
        return []
    try:
        runs: list[Entry] = json.loads(path.read_text("utf-8"))["runs"]
    except (ValueError, KeyError, TypeError) as error:
        raise RecipeError(f"{path} is not a file of results: {error!r}") from None
    return runs


def add(path: Path, entry: Entry) -> None:
    """Add an entry, or replace the one of the same run.

    A lock protects the file from runs that end at the same time.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.with_name(f".{path.name}.lock")
    with FileLock(lock):
        others = [old for old in read(path) if _identity(old) != _identity(entry)]
        runs = sorted([*others, entry], key=_identity)
        # One line per run keeps diffs of the file readable.
        lines = ",\n".join(json.dumps(run, ensure_ascii=False) for run in runs)
        write(path, f'{{"runs": [\n{lines}\n]}}\n')


def done(path: Path, run: Run) -> bool:
    """Return whether the file has this run with the same settings."""
    identity = (run.recipe.name, run.work.corpus, run.framework, run.strategy, run.seed)
    same = (old for old in read(path) if _identity(old) == identity)
    return any(old["fingerprint"] == run.fingerprint for old in same)


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages used."""
    installed = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            installed[name] = version(name)
        except PackageNotFoundError:
            continue
    return installed


def _identity(entry: Entry) -> tuple[Any, ...]:
    return tuple(entry[name] for name in IDENTITY)
