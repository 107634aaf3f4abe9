"""From rows of text to what both frameworks train on: once for the same request."""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from maskplug import key_of
from recipes.shared import binarize, pieces
from recipes.shared.errors import RecipeError
from recipes.shared.rows import SPLITS, Problem, Table, told
from recipes.shared.settings import Recipe
from recipes.shared.workspace import Workspace, write

Tell = Callable[[str], object]


def prepare(
    recipe: Recipe, work: Workspace, tables: dict[str, Table], tell: Tell, corpus: str = "own"
) -> bool:
    """Check rows, train the pieces, write text, ids and fairseq's binary data.

    Args:
        recipe: whose columns the tables have.
        work: where to.
        tables: the rows of ``train``, ``valid`` and ``test``.
        tell: hears what is done next.
        corpus: what results call these rows.

    Returns:
        False when all of this was there already, for the same rows and settings.

    Raises:
        RecipeError: when bad rows are to be refused, or no row is left.
    """
    refuse(recipe, tables)
    wanted = {"corpus": corpus, **_request(recipe, tables)}
    if work.facts().get("request") == wanted:
        return False
    work.prepared.unlink(missing_ok=True)
    tell("training SentencePiece")
    texts = [text for name in recipe.text_columns for text in tables["train"].columns[name]]
    pieces.train(work, texts, recipe.pieces)
    tell("encoding")
    ids: dict[str, dict[str, list[list[str]]]] = {}
    labels: list[str] = []
    for split in SPLITS:
        tables[split], ids[split] = _encoded(recipe, work, tables[split], labels)
        labels = labels or sorted(set(tables[split].columns.get("label", [])))
    refuse(recipe, tables)
    _write(work, tables, ids)
    _save_rows(recipe, work, tables, ids, labels)
    pieces.save_tokenizer(work, recipe.model.family)
    if importlib.util.find_spec("fairseq"):
        tell("fairseq-preprocess")
        shutil.rmtree(work.root / "data-bin", ignore_errors=True)
        binarize.binarize(recipe, work, list(tables), labels)
    facts = {"request": wanted, "labels": labels, "summary": summary(tables)}
    write(work.prepared, json.dumps(facts, indent=2, ensure_ascii=False) + "\n")
    return True


def summary(tables: dict[str, Table]) -> dict[str, dict[str, int]]:
    """For each split, how many rows are used, how many of them were cut, and what was left out."""
    return {
        split: {"used": len(table), "truncated": len(table.truncated), **table.counts()}
        for split, table in tables.items()
    }


def refuse(recipe: Recipe, tables: dict[str, Table]) -> None:
    """Stop where bad rows are to be refused, and at empty splits.

    Raises:
        RecipeError: that names the first of them by file and line.
    """
    for split, table in tables.items():
        if recipe.rows.bad == "refuse" and table.problems:
            raise RecipeError("\n".join(["rows that cannot be used:", *told(table.problems)]))
        if not len(table):
            raise RecipeError("\n".join([f"{split}: no usable row", *told(table.problems)]))


def _request(recipe: Recipe, tables: dict[str, Table]) -> dict[str, Any]:
    """What decides all that is written here."""
    texts = {
        split: key_of("\n".join("\n".join([name, *t]) for name, t in table.columns.items()))
        for split, table in tables.items()
    }
    bad = {split: table.counts() for split, table in tables.items()}
    fairseq = bool(importlib.util.find_spec("fairseq"))
    return {"texts": texts, "bad": bad, "fairseq": fairseq, **settings(recipe)}


def settings(recipe: Recipe) -> dict[str, Any]:
    """The settings that decide what is written here, as JSON has them."""
    stages = [{"task": s.task, "columns": s.columns, "limit": s.limit} for s in recipe.stages]
    said = {"pieces": recipe.pieces, "rows": asdict(recipe.rows), "family": recipe.model.family}
    made: dict[str, Any] = json.loads(json.dumps({**said, "stages": stages}))
    return made


def check(recipe: Recipe, work: Workspace) -> None:
    """Make sure that a folder holds what these settings ask for.

    Raises:
        RecipeError: when nothing is prepared there, or was by other settings.
    """
    again = "python -m recipes prepare --help"
    facts = work.facts()
    if not facts:
        raise RecipeError(f"{work.root}: nothing is prepared there: {again}")
    wanted = settings(recipe).items()
    other = [name for name, value in wanted if facts["request"].get(name) != value]
    if other:
        raise RecipeError(
            f"{work.root} was prepared with other settings ({', '.join(other)}); prepare it again: "
            f"{again}"
        )


def _encoded(
    recipe: Recipe, work: Workspace, table: Table, labels: Sequence[str]
) -> tuple[Table, dict[str, list[list[str]]]]:
    """The rows that are short enough, or were made so, and their pieces.

    Args:
        recipe, work: as everywhere.
        table: the rows.
        labels: the classes of the training rows; none where these are the training rows.
    """
    model, most = pieces.processor(work), recipe.rows.max_length
    made = {name: model.encode(table.columns[name], out_type=str) for name in recipe.text_columns}
    bad, short = {}, {}
    for name, rows in made.items():
        cut = recipe.rows.long == "truncate" and name == recipe.columns[0]
        for i, row in enumerate(rows):
            detail = f"{name}: {len(row)} pieces, at most {most}"
            if len(row) > most and not cut:
                bad[i] = Problem(*table.places[i], "too long", detail)
            elif len(row) > most:
                short[i] = Problem(*table.places[i], "truncated", detail)
                rows[i] = row[:most]
    for i, label in enumerate(table.columns.get("label", [])):
        if labels and label not in labels:
            bad[i] = Problem(*table.places[i], "unknown label", repr(label))
    kept = [i for i in range(len(table)) if i not in bad]
    left = table.without(bad)
    left.truncated += [problem for i, problem in short.items() if i not in bad]
    return left, {name: [rows[i] for i in kept] for name, rows in made.items()}


def _write(
    work: Workspace, tables: dict[str, Table], encoded: dict[str, dict[str, list[list[str]]]]
) -> None:
    for split, table in tables.items():
        for name, texts in table.columns.items():
            write(work.text(split, name), "".join(f"{text}\n" for text in texts))
        for name, rows in encoded[split].items():
            write(work.encoded(split, name), "".join(f"{' '.join(row)}\n" for row in rows))
    _list(work.skipped, [problem for table in tables.values() for problem in table.problems])
    _list(work.truncated, [problem for table in tables.values() for problem in table.truncated])


def _list(path: Path, problems: Sequence[Problem]) -> None:
    rows = (f"{each.file}\t{each.line}\t{each.why}\t{each.detail}\n" for each in problems)
    write(path, "".join(["file\tline\twhy\tdetail\n", *rows]))


def _save_rows(
    recipe: Recipe,
    work: Workspace,
    tables: dict[str, Table],
    encoded: dict[str, dict[str, list[list[str]]]],
    labels: list[str],
) -> None:
    """The ids, as a ``datasets.DatasetDict`` with a column for each one of the recipe."""
    from datasets import Dataset, DatasetDict, disable_progress_bars

    disable_progress_bars()
    ids = {symbol: i for i, symbol in enumerate(pieces.symbols(work))}
    numbers = {label: i for i, label in enumerate(labels)}
    made = {}
    for split, table in tables.items():
        columns: dict[str, Any] = {
            name: [np.array([ids.get(p, ids["<unk>"]) for p in row], np.int32) for row in rows]
            for name, rows in encoded[split].items()
        }
        if "label" in table.columns:
            columns["label"] = [numbers[label] for label in table.columns["label"]]
        made[split] = Dataset.from_dict(columns)
    shutil.rmtree(work.root / "rows", ignore_errors=True)
    DatasetDict(made).save_to_disk(str(work.root / "rows"))


def load_rows(work: Workspace) -> Any:
    """The ids of all splits: a ``datasets.DatasetDict``."""
    from datasets import load_from_disk

    return load_from_disk(str(work.root / "rows"))
