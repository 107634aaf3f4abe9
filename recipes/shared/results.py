"""results.json: one entry a run, written as soon as a run is scored."""

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
#: What tells two entries apart; settings are compared by ``fingerprint``.
IDENTITY = ("recipe", "corpus", "framework", "strategy", "seed")


def read(path: Path) -> list[Entry]:
    """The entries of a file; none when it is not there.

    Raises:
        RecipeError: when it holds something else.
    """
    if not path.exists():
        return []
    try:
        runs: list[Entry] = json.loads(path.read_text("utf-8"))["runs"]
    except (ValueError, KeyError, TypeError) as error:
        raise RecipeError(f"{path} holds no results: {error!r}") from None
    return runs


def add(path: Path, entry: Entry) -> None:
    """Write an entry in place of the one of the same run, or beside the others.

    Runs that end at the same time wait for each other.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.with_name(f".{path.name}.lock")
    with FileLock(lock):
        others = [old for old in read(path) if _identity(old) != _identity(entry)]
        runs = sorted([*others, entry], key=_identity)
        # A line for each run keeps the history of the file readable.
        lines = ",\n".join(json.dumps(run, ensure_ascii=False) for run in runs)
        write(path, f'{{"runs": [\n{lines}\n]}}\n')


def done(path: Path, run: Run) -> bool:
    """Whether the file has this run under these settings."""
    wanted = (run.recipe.name, run.work.corpus, run.framework, run.strategy, run.seed)
    same = (old for old in read(path) if _identity(old) == wanted)
    return any(old["fingerprint"] == run.fingerprint for old in same)


def versions() -> dict[str, str]:
    """Of Python and the packages that take part."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _identity(entry: Entry) -> tuple[Any, ...]:
    return tuple(entry[name] for name in IDENTITY)
