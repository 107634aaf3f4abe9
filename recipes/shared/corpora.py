"""Where a recipe's rows come from: the sample, files, a folder, a Hugging Face dataset."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recipes.shared.config import Recipe
from recipes.shared.errors import RecipeError
from recipes.shared.rows import SPLITS, Table, of_dataset, read

#: What Hugging Face datasets call the splits.
THEIRS = {"train": ("train",), "valid": ("validation", "valid", "dev"), "test": ("test",)}


@dataclass(frozen=True)
class Corpus:
    """Rows under a name: ``sample``, one of the recipe's corpora, or whatever the user calls his.

    Args:
        name: also the folder of all that is made of them.
        files: for each split, a file with all columns or one for each.
        dataset: in place of files, ``NAME`` or ``NAME:CONFIG``.
        columns: those of the dataset, in the order of the recipe's; ``a.b`` is b inside of a.
    """

    name: str
    files: dict[str, list[Path]]
    dataset: str = ""
    columns: tuple[str, ...] = ()

    def tables(self, recipe: Recipe) -> dict[str, Table]:
        """The rows of all splits, checked."""
        if self.dataset:
            return _from_hub(self.dataset, self.columns or recipe.columns, recipe)
        return {split: read(self.files[split], recipe.columns) for split in SPLITS}


def in_folder(folder: Path, name: str) -> dict[str, list[Path]]:
    """The files ``NAME.SPLIT.tsv.gz`` (or ``.tsv``) of a folder.

    Raises:
        RecipeError: when one is not there.
    """
    found = {}
    for split in SPLITS:
        wanted = [folder / f"{name}.{split}.tsv.gz", folder / f"{name}.{split}.tsv"]
        there = [path for path in wanted if path.exists()]
        if not there:
            raise RecipeError(
                f"{wanted[0]}: no such file (nor without .gz); recipes/corpora/README.md tells how "
                "to make the corpora"
            )
        found[split] = [Path(os.path.relpath(there[0]))]
    return found


def _from_hub(named: str, columns: Sequence[str], recipe: Recipe) -> dict[str, Table]:
    from datasets import load_dataset

    name, _, config = named.partition(":")
    if len(columns) != len(recipe.columns):
        raise RecipeError(f"--columns must name {len(recipe.columns)}: {', '.join(recipe.columns)}")
    try:
        loaded: Any = load_dataset(name, config or None)
    except Exception as error:  # whatever the hub, the network or a folder may have against it
        raise RecipeError(f"dataset {named!r}: {error}") from None
    tables = {}
    for split, theirs in THEIRS.items():
        there = [each for each in theirs if each in loaded]
        if not there:
            raise RecipeError(f"dataset {named!r} has no {split} split, but {', '.join(loaded)}")
        rows = loaded[there[0]]
        missing = [c for c in columns if c.split(".")[0] not in rows.column_names]
        if missing:
            raise RecipeError(
                f"dataset {named!r} has no column {missing[0]!r}, but "
                f"{', '.join(rows.column_names)}; choose with --columns"
            )
        names = _labels(rows, columns, recipe)
        pairs = list(zip(recipe.columns, columns, strict=True))
        renamed = ({ours: _of(row, column, names) for ours, column in pairs} for row in rows)
        tables[split] = of_dataset(renamed, f"{named}/{there[0]}", recipe.columns)
    return tables


def _labels(rows: Any, columns: Sequence[str], recipe: Recipe) -> dict[str, list[str]]:
    """The names of classes that a dataset holds as numbers."""
    return {
        column: rows.features[column].names
        for ours, column in zip(recipe.columns, columns, strict=True)
        if ours == "label" and hasattr(rows.features.get(column), "names")
    }


def _of(row: Any, column: str, names: dict[str, list[str]]) -> Any:
    """A value, however deep it lies; the name of a class."""
    for part in column.split("."):
        row = row[part]
    return names[column][row] if column in names and isinstance(row, int) else row
