"""Where a recipe's rows come from: the sample, files, a folder, a Hugging Face dataset."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recipes.shared.errors import RecipeError
from recipes.shared.rows import SPLITS, Table, of_dataset, read
from recipes.shared.settings import Recipe

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
        known = _flat(rows.features)
        missing = [column for column in columns if column not in known]
        if missing:
            raise RecipeError(
                f"dataset {named!r} has no column {missing[0]!r}, but {', '.join(known)}; choose "
                "with --columns"
            )
        pairs = list(zip(recipe.columns, (known[column] for column in columns), strict=True))
        renamed = ({ours: _of(row, *theirs) for ours, theirs in pairs} for row in rows)
        tables[split] = of_dataset(renamed, f"{named}/{there[0]}", recipe.columns)
    return tables


def _flat(features: Any, above: tuple[str, ...] = ()) -> dict[str, tuple[tuple[str, ...], Any]]:
    """The columns of a dataset, however deep they lie: name → the way to it, and its type."""
    from datasets import Translation

    found: dict[str, tuple[tuple[str, ...], Any]] = {}
    for name, kind in features.items():
        inside = dict.fromkeys(kind.languages) if isinstance(kind, Translation) else kind
        way = (*above, name)
        found |= _flat(inside, way) if isinstance(inside, dict) else {".".join(way): (way, kind)}
    return found


def _of(row: Any, way: tuple[str, ...], kind: Any) -> Any:
    """A value; the name of a class, where there is a number for it."""
    for part in way:
        row = None if row is None else row[part]
    if isinstance(row, int) and hasattr(kind, "names"):
        return kind.names[row] if row >= 0 else None  # -1: nobody has labelled it
    return row
