"""Run fairseq-preprocess for the stages of a recipe."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from recipes.shared.errors import RecipeError
from recipes.shared.settings import Recipe, Stage
from recipes.shared.workspace import Workspace, write

SIDES = ("source", "target")


def binarize(recipe: Recipe, work: Workspace, splits: Sequence[str], labels: Sequence[str]) -> None:
    """Write the binary data of the task of every stage."""
    for stage in recipe.stages:
        if stage.task == "translation":
            _pairs(recipe, work, splits, stage)
        elif stage.task == "classification":
            _labelled(recipe, work, splits, stage, labels)
        else:
            _text(recipe, work, splits, stage)


def _pairs(recipe: Recipe, work: Workspace, splits: Sequence[str], stage: Stage) -> None:
    """Write sources and targets; rows of BART begin with ``<s>``, as in its pre-training."""
    head = "<s> " if recipe.model.family == "bart" else ""
    prefix = work.root / "encoded" / "pairs"
    for split in splits:
        for side, column in zip(SIDES, recipe.columns, strict=True):
            rows = _limited(work, split, column, stage)
            _lines(prefix / f"{split}.{side}", [head + row for row in rows])
    _preprocess(work, work.data_bin("pairs"), prefix, splits, ["--joined-dictionary", *langs()])


def langs() -> list[str]:
    """Return the options that name the two languages."""
    return ["--source-lang", SIDES[0], "--target-lang", SIDES[1]]


def _text(recipe: Recipe, work: Workspace, splits: Sequence[str], stage: Stage) -> None:
    """Write the text of all columns, one column after another."""
    prefix = work.root / "encoded" / "text"
    columns = stage.columns or recipe.text_columns
    for split in splits:
        rows = [row for name in columns for row in _limited(work, split, name, stage)]
        _lines(prefix / split, rows)
    _preprocess(work, work.data_bin("text"), prefix, splits, ["--only-source"])


def _labelled(
    recipe: Recipe, work: Workspace, splits: Sequence[str], stage: Stage, labels: Sequence[str]
) -> None:
    """Write texts and classes into the two folders that ``sentence_prediction`` reads."""
    prefix, folder = work.root / "encoded" / "labelled", work.data_bin("labelled")
    for split in splits:
        _lines(prefix / "text" / split, _limited(work, split, recipe.text_columns[0], stage))
        numbers = [str(labels.index(label)) for label in _limited(work, split, "label", stage)]
        _lines(prefix / "label" / split, numbers)
    # Classes are written as numbers because their names may contain spaces.
    counted = "".join(f"{i} {len(labels) - i}\n" for i in range(len(labels)))
    write(work.root / "labels.txt", counted)
    _preprocess(work, folder / "input0", prefix / "text", splits, ["--only-source"])
    _preprocess(work, folder / "label", prefix / "label", splits, ["--only-source"], "labels.txt")


def _limited(work: Workspace, split: str, column: str, stage: Stage) -> list[str]:
    """Return the rows of a column; the training split may be limited to its first rows."""
    path = work.text(split, column) if column == "label" else work.encoded(split, column)
    limit = stage.limit if split == "train" else 0
    rows = path.read_text("utf-8").removesuffix("\n").split("\n")
    return rows[: limit or None]


def _lines(path: Path, rows: Sequence[str]) -> None:
    write(path, "".join(f"{row}\n" for row in rows))


def _preprocess(
    work: Workspace,
    folder: Path,
    prefix: Path,
    splits: Sequence[str],
    flags: Sequence[str],
    dictionary: str = "dict.txt",
) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, "-m", "fairseq_cli.preprocess", *flags]
    command += ["--srcdict", str(work.root / dictionary), "--destdir", str(folder)]
    for split in splits:
        command += [f"--{split}pref", str(prefix / split)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RecipeError(f"fairseq-preprocess failed:\n{done.stderr[-2000:]}")
