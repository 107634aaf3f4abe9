"""Sources of rows: the sample, files, a folder, or a Hugging Face dataset."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recipes.shared.errors import RecipeError
from recipes.shared.rows import SPLITS, Table, of_dataset, read
from recipes.shared.settings import Recipe

#: Names of the splits in Hugging Face datasets.
HUB_SPLITS = {"train": ("train",), "valid": ("validation", "valid", "dev"), "test": ("test",)}


@dataclass(frozen=True)
class Corpus:
    """Named rows.

    Args:
        name: ``sample``, one of the recipe's corpora, or the user's own name; also the name of the
            output folder.
        files: for each split, one file with all columns or one file per column.
        dataset: instead of files, ``NAME`` or ``NAME:CONFIG``.
        columns: columns of the dataset in the order of the recipe's; ``a.b`` is b inside a.
    """

    name: str
    files: dict[str, list[Path]]
    dataset: str = ""
    columns: tuple[str, ...] = ()

    def tables(self, recipe: Recipe) -> dict[str, Table]:
        """Return the checked rows of all splits."""
        if self.dataset:
            return _from_hub(self.dataset, self.columns or recipe.columns, recipe)
        return {split: read(self.files[split], recipe.columns) for split in SPLITS}


def in_folder(folder: Path, name: str) -> dict[str, list[Path]]:
    """Return the files ``NAME.SPLIT.tsv.gz`` (or ``.tsv``) of a folder.

    Raises:
        RecipeError: if one is missing.
    """
    files = {}
    for split in SPLITS:
        choices = [folder / f"{name}.{split}.tsv.gz", folder / f"{name}.{split}.tsv"]
        existing = [path for path in choices if path.exists()]
        if not existing:
            raise RecipeError(
                f"{choices[0]}: no such file (nor without .gz); to build the corpora, see "
                "recipes/corpora/README.md"
            )
        files[split] = [Path(os.path.relpath(existing[0]))]
    return files


def _from_hub(named: str, columns: Sequence[str], recipe: Recipe) -> dict[str, Table]:
    from datasets import load_dataset

    name, _, config = named.partition(":")
    if len(columns) != len(recipe.columns):
        raise RecipeError(
            f"--columns names {len(columns)} columns; the recipe needs {len(recipe.columns)}: "
            f"{', '.join(recipe.columns)}"
        )
    try:
        loaded: Any = load_dataset(name, config or None)
    except Exception as error:  # of the hub, the network or the file system
        raise RecipeError(f"dataset {named!r}: {error}") from None
    tables = {}
    for split, theirs in HUB_SPLITS.items():
        existing = [each for each in theirs if each in loaded]
        if not existing:
            raise RecipeError(f"dataset {named!r} has no {split} split, only {', '.join(loaded)}")
        rows = loaded[existing[0]]
        known = _flat(rows.features)
        missing = [column for column in columns if column not in known]
        if missing:
            raise RecipeError(
                f"dataset {named!r} has no column {missing[0]!r}, only {', '.join(known)}; "
                "choose with --columns"
            )
        pairs = list(zip(recipe.columns, (known[column] for column in columns), strict=True))
        renamed = ({ours: _of(row, *theirs) for ours, theirs in pairs} for row in rows)
        tables[split] = of_dataset(renamed, f"{named}/{existing[0]}", recipe.columns)
    return tables


def _flat(features: Any, parents: tuple[str, ...] = ()) -> dict[str, tuple[tuple[str, ...], Any]]:
    """Return the path and the type of each column of a dataset, nested columns included."""
    from datasets import Translation

    columns: dict[str, tuple[tuple[str, ...], Any]] = {}
    for name, kind in features.items():
        inside = dict.fromkeys(kind.languages) if isinstance(kind, Translation) else kind
        path = (*parents, name)
        nested = isinstance(inside, dict)
        columns |= _flat(inside, path) if nested else {".".join(path): (path, kind)}
    return columns


def _of(row: Any, path: tuple[str, ...], kind: Any) -> Any:
    """Return a value, or the name of a class instead of its number."""
    for part in path:
        row = None if row is None else row[part]
    if isinstance(row, int) and hasattr(kind, "names"):
        return kind.names[row] if row >= 0 else None  # -1: not labelled
    return row
