"""The comparison of data loaders runs, tells our side the epoch, and documents its figures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from benchmarks import loading, wordpiece
from benchmarks.loading import Side, Size

SIZE = Size(rows=2, length=64, batches=3, rounds=1)


@pytest.fixture(scope="module")
def found() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = loading.measure(small=True)["loaders"]
    return rows


def test_every_source_with_and_without_workers(found: list[dict[str, Any]]) -> None:
    sources = ["lists", "Arrow", "Arrow, numpy", "Arrow, Trainer"]
    wanted = [(source, workers) for source in sources for workers in (0, 2)]
    assert [(row["rows"], row["workers"]) for row in found] == wanted
    assert {row["workers"]: row["goal"] for row in found} == {0: None, 2: 10.0}


def test_its_figures_are_documented(found: list[dict[str, Any]]) -> None:
    for row in found:
        assert all(f'"{name}"' in str(loading.__doc__) for name in row)
        figures = [value for name, value in row.items() if name.endswith("tokens/s")]
        assert len(figures) == 4
        assert min(*figures, row["ratio"]) > 0


def test_torch_has_its_threads_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "sources", lambda size: {})
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        loading.measure(small=True)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.mark.filterwarnings("error::maskplug.errors.MaskplugWarning")
@pytest.mark.parametrize("make", [loading.plain, loading.trainers])
def test_each_epoch_has_new_masks(make: Callable[..., dict[str, Side]]) -> None:
    import datasets

    arrow = datasets.Dataset.from_list(wordpiece.rows(SIZE.batches * SIZE.rows, SIZE.length))
    side = make(arrow, 0, SIZE)["maskplug"]
    first, second = masks(side), masks(side)
    assert first.keys() == second.keys()
    assert all(first[row] != second[row] for row in first)


def masks(side: Side) -> dict[tuple[int, ...], tuple[int, ...]]:
    """The labels of an epoch by the rows as they were."""
    side.begin()
    found = {}
    for batch in side.loader:
        ids, labels = batch["input_ids"], batch["labels"]
        for row, label in zip(torch.where(labels < 0, ids, labels), labels, strict=True):
            found[tuple(row.tolist())] = tuple(label.tolist())
    assert len(found) == SIZE.batches * SIZE.rows
    return found


def test_idle_loaders_hand_on_what_collators_do() -> None:
    for name, side in loading.idle(0, SIZE).items():
        batches = list(side.loader)
        assert len(batches) == SIZE.batches
        for value in batches[0].values():
            assert (type(value) is torch.Tensor) == (name == "tensors")
            assert (value.shape, str(value.dtype)[-5:]) == ((SIZE.rows, SIZE.length), "int64")
