"""Prepare the training data of both frameworks from rows of text, once for equal requests."""

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
from recipes.shared.rows import SPLITS, Problem, Table, first_problems
from recipes.shared.settings import Recipe
from recipes.shared.workspace import Workspace, write

Tell = Callable[[str], object]


def prepare(
    recipe: Recipe, work: Workspace, tables: dict[str, Table], tell: Tell, corpus: str = "own"
) -> bool:
    """Check rows, train SentencePiece, and write text, ids and fairseq's binary data.

    Args:
        recipe: has the columns of the tables.
        work: the output folder.
        tables: the rows of ``train``, ``valid`` and ``test``.
        tell: receives the title of each step.
        corpus: the name of these rows in the results.

    Returns:
        False if all of this exists already for the same rows and settings.

    Raises:
        RecipeError: if bad rows are to be refused, or no row is left.
    """
    refuse(recipe, tables)
    request = {"corpus": corpus, **_request(recipe, tables)}
    if work.facts().get("request") == request:
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
    facts = {"request": request, "labels": labels, "summary": summary(tables)}
    write(work.prepared, json.dumps(facts, indent=2, ensure_ascii=False) + "\n")
    return True


def summary(tables: dict[str, Table]) -> dict[str, dict[str, int]]:
    """Return how many rows of each split are used, truncated, and skipped by reason."""
    return {
        split: {"used": len(table), "truncated": len(table.truncated), **table.counts()}
        for split, table in tables.items()
    }


def refuse(recipe: Recipe, tables: dict[str, Table]) -> None:
    """Refuse bad rows if the recipe says so, and empty splits.

    Raises:
        RecipeError: names the first bad rows by file and line.
    """
    for split, table in tables.items():
        if recipe.rows.bad == "refuse" and table.problems:
            problems = first_problems(table.problems)
            raise RecipeError("\n".join(["rows that cannot be used:", *problems]))
        if not len(table):
            problems = first_problems(table.problems)
            raise RecipeError("\n".join([f"{split}: no usable row", *problems]))


def _request(recipe: Recipe, tables: dict[str, Table]) -> dict[str, Any]:
    """Return everything that the written files depend on."""
    texts = {
        split: key_of("\n".join("\n".join([name, *t]) for name, t in table.columns.items()))
        for split, table in tables.items()
    }
    bad = {split: table.counts() for split, table in tables.items()}
    fairseq = bool(importlib.util.find_spec("fairseq"))
    return {"texts": texts, "bad": bad, "fairseq": fairseq, **settings(recipe)}


def settings(recipe: Recipe) -> dict[str, Any]:
    """Return the settings that the written files depend on, as JSON values."""
    stages = [{"task": s.task, "columns": s.columns, "limit": s.limit} for s in recipe.stages]
    chosen = {"pieces": recipe.pieces, "rows": asdict(recipe.rows), "family": recipe.model.family}
    values: dict[str, Any] = json.loads(json.dumps({**chosen, "stages": stages}))
    return values


def check(recipe: Recipe, work: Workspace) -> None:
    """Check that a folder was prepared with the settings of a recipe.

    Raises:
        RecipeError: if it was not prepared, or with other settings.
    """
    command = "python -m recipes prepare --help"
    facts = work.facts()
    if not facts:
        raise RecipeError(f"{work.root} is not prepared; see {command}")
    current = settings(recipe).items()
    changed = [name for name, value in current if facts["request"].get(name) != value]
    if changed:
        raise RecipeError(
            f"{work.root} was prepared with other settings ({', '.join(changed)}); "
            f"prepare it again: {command}"
        )


def _encoded(
    recipe: Recipe, work: Workspace, table: Table, labels: Sequence[str]
) -> tuple[Table, dict[str, list[list[str]]]]:
    """Return the rows that are not too long, truncated if the recipe says so, and their pieces.

    Args:
        recipe, work: the recipe and its output folder.
        table: the rows.
        labels: the classes of the training rows; empty for the training rows themselves.
    """
    model, max_length = pieces.processor(work), recipe.rows.max_length
    encoded = {
        name: model.encode(table.columns[name], out_type=str) for name in recipe.text_columns
    }
    bad, truncated = {}, {}
    for name, rows in encoded.items():
        cut = recipe.rows.long == "truncate" and name == recipe.columns[0]
        for i, row in enumerate(rows):
            detail = f"{name}: {len(row)} pieces, at most {max_length}"
            if len(row) > max_length and not cut:
                bad[i] = Problem(*table.places[i], "too long", detail)
            elif len(row) > max_length:
                truncated[i] = Problem(*table.places[i], "truncated", detail)
                rows[i] = row[:max_length]
    for i, label in enumerate(table.columns.get("label", [])):
        if labels and label not in labels:
            bad[i] = Problem(*table.places[i], "unknown label", repr(label))
    kept = [i for i in range(len(table)) if i not in bad]
    used = table.without(bad)
    used.truncated += [problem for i, problem in truncated.items() if i not in bad]
    return used, {name: [rows[i] for i in kept] for name, rows in encoded.items()}


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
    """Save the ids as a ``datasets.DatasetDict`` with the columns of the recipe."""
    from datasets import Dataset, DatasetDict, disable_progress_bars

    disable_progress_bars()
    ids = {symbol: i for i, symbol in enumerate(pieces.symbols(work))}
    numbers = {label: i for i, label in enumerate(labels)}
    datasets = {}
    for split, table in tables.items():
        columns: dict[str, Any] = {
            name: [np.array([ids.get(p, ids["<unk>"]) for p in row], np.int32) for row in rows]
            for name, rows in encoded[split].items()
        }
        if "label" in table.columns:
            columns["label"] = [numbers[label] for label in table.columns["label"]]
        datasets[split] = Dataset.from_dict(columns)
    shutil.rmtree(work.root / "rows", ignore_errors=True)
    DatasetDict(datasets).save_to_disk(str(work.root / "rows"))


def load_rows(work: Workspace) -> Any:
    """Return the ids of all splits as a ``datasets.DatasetDict``."""
    from datasets import load_from_disk

    return load_from_disk(str(work.root / "rows"))
