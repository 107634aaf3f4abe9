"""What the Hugging Face side reads: the same ids, in the same order, as fairseq."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from maskplug.types import IntArray
from recipes.shared.plan import StageRun
from recipes.shared.prepare import load_rows

BOS, EOS = 0, 2


def features(stage: StageRun, split: str) -> Any:
    """The rows of one split, as a ``datasets.Dataset`` with the columns that the task needs.

    Row n of it is row n of fairseq's data, so that both give it the same key.
    """
    from datasets import Dataset

    rows = load_rows(stage.run.work)[split].with_format("numpy")
    if split == "train":
        rows = rows.select(range(stage.rows))
    return Dataset.from_dict(_columns(stage, rows))


def _columns(stage: StageRun, rows: Any) -> dict[str, Any]:
    begins = stage.run.recipe.model.family != "marian"
    task, columns = stage.stage.task, stage.run.recipe.columns
    if task == "translation":
        source, target = columns
        return {
            "input_ids": _framed(rows[source], begins),
            "labels": _framed(rows[target], begins),
        }
    if task == "classification":
        text = stage.run.recipe.text_columns[0]
        return {"input_ids": _framed(rows[text], True), "labels": list(rows["label"])}
    texts = [row for name in stage.text_columns for row in rows[name]]
    return {"input_ids": _framed(texts, True)}


def _framed(rows: Sequence[Any], begins: bool) -> list[IntArray]:
    head = [BOS] if begins else []
    return [np.array([*head, *row, EOS], np.int64) for row in rows]


class GroupedByLength:
    """An order of rows in which a batch has rows of similar length; another one in each epoch.

    Transformers' own sampler draws from the global generator, whose state at the start of an epoch
    a resumed run does not know; this one draws from the seed and the epoch.

    Args:
        lengths: of the rows: sources, and targets where there are any.
        batch: rows a batch.
        seed: of the order.
    """

    def __init__(self, lengths: Sequence[Sequence[int]], batch: int, seed: int) -> None:
        self.lengths = [np.asarray(each) for each in lengths]
        self.batch, self.seed, self.epoch = batch, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Accelerate calls this before each epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths[0])

    def __iter__(self) -> Iterator[int]:
        draws = np.random.default_rng([self.seed, self.epoch])
        # Sources first, then targets; equals come in another order each time, as batches do.
        order = np.lexsort((draws.random(len(self)), *self.lengths[::-1]))
        # What fills no batch comes last: before others, it would move them all out of theirs.
        full = len(self) - len(self) % self.batch
        batches = order[:full].reshape(-1, self.batch)
        yield from batches[draws.permutation(len(batches))].ravel().tolist()
        yield from order[full:].tolist()


def lengths(rows: Any) -> list[list[int]]:
    """Of sources, and of targets where there are any."""
    columns = [name for name in ("input_ids", "labels") if name in rows.column_names]
    return [[len(row) for row in rows[name]] for name in columns if np.ndim(rows[0][name])]
