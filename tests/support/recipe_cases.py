"""A small recipe, its rows, an empty prepared workspace, and entries of results."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from recipes.shared.plan import Run
from recipes.shared.prepare import settings
from recipes.shared.results import Entry
from recipes.shared.rows import Table
from recipes.shared.settings import Model, Recipe, Rows, Stage
from recipes.shared.workspace import Workspace, write

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "recipes" / "translation" / "data" / "translation.en-de.train.tsv.gz"

TRANSLATION = Stage("translation", updates=20, batch=4, learning_rate=0.001, every=10)
DENOISING = Stage("denoising", updates=40, batch=4, learning_rate=0.001, every=10)
CLASSIFICATION = Stage("classification", updates=20, batch=4, learning_rate=0.001, every=10)

RECIPE = Recipe(
    name="small",
    title="A small recipe",
    columns=("source", "target"),
    corpora=("first", "second"),
    metric="bleu",
    pieces=300,
    strategies={"none": {}, "dynamic": {"name": "dynamic", "rate": 0.2}},
    model=Model("marian", layers=1, decoder_layers=1, width=16, heads=2, feed_forward=16),
    stages=(TRANSLATION,),
    rows=Rows(max_length=20),
)
LABELLED = replace(
    RECIPE, columns=("text", "label"), model=Model("bert"), stages=(CLASSIFICATION,),
    metric="accuracy",
)  # fmt: skip

#: A user's own recipe as a file.
TOML = """
title = "Mine"
columns = ["source", "target"]
corpora = ["first"]
metric = "bleu"
pieces = 60

[model]
family = "marian"

[[stages]]
task = "translation"
updates = 20
batch = 4
learning_rate = 0.001
every = 10

[strategies]
none = {}
dynamic = { name = "dynamic", rate = 0.2 }

[sample]
pieces = 50
stages = { updates = 10 }
"""


def put(path: Path, data: bytes | str) -> Path:
    """Write a file, compressed if its name ends in ``.gz``."""
    raw = data.encode() if isinstance(data, str) else data
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    return path


def pairs(count: int, first: int = 0) -> list[list[str]]:
    """Return pairs of the shipped sample."""
    lines = gzip.decompress(SAMPLE.read_bytes()).decode().split("\n")
    return [line.split("\t") for line in lines[first : first + count]]


def tables(recipe: Recipe, **splits: list[list[str]]) -> dict[str, Table]:
    """Return tables of ``train``, ``valid`` and ``test``."""
    return {
        split: Table(
            {name: [row[i] for row in rows] for i, name in enumerate(recipe.columns)},
            [(f"{split}.tsv", number + 1) for number in range(len(rows))],
        )
        for split, rows in splits.items()
    }


def workspace(
    root: Path, train: int = 100, recipe: Recipe = RECIPE, corpus: str = "first", **more: Any
) -> Workspace:
    """Return a folder with the facts of a preparation only; ``more`` is added to its request."""
    work = Workspace(root)
    summary = {split: {"used": used} for split, used in (("train", train), ("valid", 9))}
    request = {"corpus": corpus, **settings(recipe), **more}
    write(work.prepared, json.dumps({"request": request, "summary": summary}))
    return work


def run(work: Workspace, recipe: Recipe = RECIPE, **changes: Any) -> Run:
    """Return a run of the small recipe."""
    settings = {"framework": "fairseq", "strategy": "dynamic", "seed": 1} | changes
    return Run(recipe, work, **settings)


def entry(**changes: Any) -> Entry:
    """Return an entry of results.json."""
    plain: Entry = {
        "recipe": "small", "corpus": "first", "framework": "fairseq", "strategy": "dynamic",
        "seed": 1, "updates": 20, "metrics": {"bleu": 10.0, "chrf": 30.0}, "signatures": {},
        "curves": {"translation": [[10, 5.0], [20, 4.0]]}, "command": "…", "versions": {},
        "seconds": 120, "fingerprint": "0" * 16,
    }  # fmt: skip
    return plain | changes
