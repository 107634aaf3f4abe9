"""Datasets for Hugging Face, with the same ids in the same order as for fairseq."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from maskplug.types import IntArray
from recipes.shared.plan import StageRun
from recipes.shared.prepare import load_rows

BOS, EOS = 0, 2


def features(stage: StageRun, split: str) -> Any:
    """Return the rows of a split as a ``datasets.Dataset`` with the columns of the task.

    Row n is row n of fairseq's data, so that both frameworks use the same key.
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
    """A sampler whose batches have rows of similar length, in a new order in each epoch.

    The sampler of transformers draws from the global generator, whose state at the start of an
    epoch is unknown to a resumed run. This sampler only depends on the seed and the epoch.

    Args:
        lengths: lengths of the sources, and of the targets if there are any.
        batch: rows per batch.
        seed: of the order.
    """

    def __init__(self, lengths: Sequence[Sequence[int]], batch: int, seed: int) -> None:
        self.lengths = [np.asarray(each) for each in lengths]
        self.batch, self.seed, self.epoch = batch, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch; Accelerate calls this before each one."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths[0])

    def __iter__(self) -> Iterator[int]:
        draws = np.random.default_rng([self.seed, self.epoch])
        # By source length, then target length; rows of equal lengths are shuffled.
        order = np.lexsort((draws.random(len(self)), *self.lengths[::-1]))
        # An incomplete batch comes last; elsewhere it would shift the rows of all later batches.
        full = len(self) - len(self) % self.batch
        batches = order[:full].reshape(-1, self.batch)
        yield from batches[draws.permutation(len(batches))].ravel().tolist()
        yield from order[full:].tolist()


def lengths(rows: Any) -> list[list[int]]:
    """Return the lengths of the sources, and of the targets if there are any."""
    columns = [name for name in ("input_ids", "labels") if name in rows.column_names]
    return [[len(row) for row in rows[name]] for name in columns if np.ndim(rows[0][name])]
