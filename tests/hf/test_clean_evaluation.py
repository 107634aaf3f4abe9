"""Pairs are masked in training and read clean in evaluation; what has no labels stays masked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from maskplug_hf import attach
from support import hf_runs as runs


def fed(folder: Path, data: Any, workers: str = "0") -> tuple[list[Any], list[Any]]:
    """What the model was given of these rows in training, and in evaluation at its end."""
    made = runs.trainer(
        folder, data=data, evaluation=data, eval_strategy="epoch", workers=workers,
        num_train_epochs=1,
    )  # fmt: skip
    attach(made)
    made.train()
    ids = [(seen.training, seen.row[0]) for seen in made.seen]
    return ([row for on, row in ids if on], [row for on, row in ids if not on])


@pytest.mark.parametrize("workers", ["0", "2"])
def test_samples_with_labels_are_evaluated_clean(tmp_path: Path, workers: str) -> None:
    rows = runs.rows(16)
    trained, evaluated = fed(tmp_path, runs.dataset(16, labels=rows), workers)
    assert evaluated == [tuple(row) for row in rows]
    assert sorted(trained) != sorted(evaluated)


def test_samples_without_labels_are_evaluated_masked(tmp_path: Path) -> None:
    _, evaluated = fed(tmp_path, runs.dataset(16))
    assert evaluated != [tuple(row) for row in runs.rows(16)]


def test_datasets_passed_to_evaluate_are_not_masked(tmp_path: Path) -> None:
    rows = runs.rows(8)
    data = runs.dataset(8, labels=rows)
    made = runs.trainer(tmp_path, data=data)
    attach(made)
    made.evaluate(data)
    assert [seen.row[0] for seen in made.seen] == [tuple(row) for row in rows]
