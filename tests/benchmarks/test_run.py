"""``python -m benchmarks.run``: every part in its small form, output, and failures."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result

from benchmarks import inputs, loading, run, training
from benchmarks.loading import Side, Size
from benchmarks.report import tables
from benchmarks.run import PARTS, Part
from benchmarks.timing import Comparison, Row

#: Files with the fairseq commands of other tests.
pytestmark = [
    pytest.mark.xdist_group("fairseq"),
    pytest.mark.filterwarnings("ignore"),  # of the other libraries
]
SIZE = Size(rows=2, length=64, batches=3, words=500, rounds=1)
#: Functions of this module, as ``benchmarks.dummies``.
PEER = Part("peer", "A peer", "dummies:comparisons", peer=True)
SECTION = Part("section", "Rows", "dummies:rows")
BROKEN = Part("broken", "No rows", "dummies:failing")
ABSENT = Part("absent", "Not installed", "dummies:rows", ("no-such-distribution",))
#: Bytes that each side of the first comparison allocates.
OURS, THEIRS = 4 << 20, 16 << 20


def comparisons(small: bool) -> Iterator[Comparison]:
    yield Comparison(
        "bytes", "numpy", 10, lambda: np.ones(OURS, np.int8), lambda: np.ones(THEIRS, np.int8), 2.0
    )
    yield Comparison("sleep", "numpy", 10, lambda: time.sleep(1e-3), lambda: time.sleep(1e-3))


def rows(small: bool) -> list[Row]:
    return [{"what": "side", "tokens/s": 1.0 if small else 2.0}]


def failing(small: bool) -> list[Row]:
    raise ValueError("no values")


@pytest.fixture(autouse=True)
def _dummies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "benchmarks.dummies", sys.modules[__name__])


@pytest.fixture(scope="module")
def small() -> Iterator[Callable[[str], list[Row]]]:
    """Measure a part in its small form, once."""
    threads, measured = torch.get_num_threads(), {}

    def rows(name: str) -> list[Row]:
        if name not in measured:
            part = next(part for part in PARTS if part.name == name)
            measured[name] = part.measure(small=True, rounds=1)
        return measured[name]

    yield rows
    torch.set_num_threads(threads)


@pytest.mark.parametrize(
    "part",
    [
        # Compiles kernels in processes without a cache.
        pytest.param(part, marks=[pytest.mark.slow] if part.name == "start-up" else [])
        for part in PARTS
    ],
    ids=[part.name for part in PARTS],
)
def test_every_part_runs(part: Part, small: Callable[[str], list[Row]]) -> None:
    if part.missing:
        pytest.skip(f"{', '.join(part.missing)} not installed")
    rows = small(part.name)
    assert rows
    if part.peer:
        assert len({(row["peer"], row["work"]) for row in rows}) == len(rows)
        assert all(row["ratio"] > 0 for row in rows)
    for head, *lines in tables(rows):
        assert lines
        assert all(len(line) == len(head) for line in lines)


def test_loaders_are_measured_with_and_without_workers(small: Callable[[str], list[Row]]) -> None:
    rows = small("loading")
    sources = ["lists", "Arrow", "Arrow, numpy", "Arrow, Trainer"]
    expected = [(source, workers) for source in sources for workers in (0, 1)]
    assert [(row["rows"], row["workers"]) for row in rows] == expected
    assert {row["workers"]: row["goal"] for row in rows} == {0: None, 1: 10.0}
    for row in rows:
        speed = [value for name, value in row.items() if name.endswith("tokens/s")]
        assert len(speed) == 4
        assert min(*speed, row["ratio"]) > 0


def test_masking_is_a_part_of_each_training_step(small: Callable[[str], list[Row]]) -> None:
    rows = small("training")
    assert [(row["framework"], row["masking"]) for row in rows] == [
        ("Hugging Face", "maskplug"),
        ("Hugging Face", "transformers"),
        ("fairseq", "maskplug"),
        ("fairseq", "fairseq masked_lm"),
    ]
    for row in rows:
        assert 0 < row["of which masking"] < row["seconds a step"]
        share = row["of which masking"] / row["seconds a step"]
        assert row["share, %"] == pytest.approx(100 * share)
        assert row["tokens/s"] == pytest.approx(32 / row["seconds a step"])


def test_torch_has_one_thread_except_in_training(monkeypatch: pytest.MonkeyPatch) -> None:
    counts: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", counts.append)
    for part in PARTS:
        Part("section", "Rows", "dummies:rows", part.needs, threads=part.threads).measure(True, 1)
    with_torch = [part.name for part in PARTS if "torch" in part.needs]
    assert counts == [os.cpu_count() if name == "training" else 1 for name in with_torch]


def test_the_model_costs_the_same_on_both_sides() -> None:
    clocks = {True: training.Clock(), False: training.Clock()}
    clocks[True].ends = [(0.0, 0.0), (20.0, 1.0)]
    clocks[False].ends = [(0.0, 0.0), (20.0, 4.0)]
    ours, theirs = training.rows("a", "b", training.TOY, lambda shape, ours: clocks[ours])
    assert (ours["masking"], ours["seconds a step"]) == ("maskplug", 17.0)
    assert (theirs["masking"], theirs["seconds a step"]) == ("b", 20.0)


def test_the_clock_leaves_out_the_first_step(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([0, 50, 90, 100, 102, 110, 120, 126, 140])  # masked from, to, and the step's end
    monkeypatch.setattr(training.time, "perf_counter", lambda: float(next(now)))
    clock = training.Clock()
    for _ in range(3):
        with clock.masking():
            pass
        clock.step_ended()
    assert clock.minimum() == (2.0, 18.0)


@pytest.mark.filterwarnings("error::maskplug.errors.MaskplugWarning")
@pytest.mark.parametrize("make", [loading.plain, loading.trainers])
def test_each_loaded_epoch_has_new_masks(make: Callable[..., dict[str, Side]]) -> None:
    import datasets

    features = inputs.random_rows(SIZE.batches * SIZE.rows, SIZE.length, SIZE.words)
    side = make(datasets.Dataset.from_list(features), 0, SIZE)["maskplug"]
    first, second = masks(side), masks(side)
    assert first.keys() == second.keys()
    assert all(first[row] != second[row] for row in first)


def masks(side: Side) -> dict[tuple[int, ...], tuple[int, ...]]:
    """Return the labels of an epoch by the original rows."""
    by_row = {}
    for batch in side():
        ids, labels = batch["input_ids"], batch["labels"]
        for row, label in zip(torch.where(labels < 0, ids, labels), labels, strict=True):
            by_row[tuple(row.tolist())] = tuple(label.tolist())
    assert len(by_row) == SIZE.batches * SIZE.rows
    return by_row


def test_idle_loaders_return_what_collators_return() -> None:
    for name, side in loading.idle(0, SIZE).items():
        batches = list(side())
        assert len(batches) == SIZE.batches
        for value in batches[0].values():
            assert (type(value) is torch.Tensor) == (name == "tensors")
            assert (value.shape, str(value.dtype)[-5:]) == ((SIZE.rows, SIZE.length), "int64")


def ran(
    monkeypatch: pytest.MonkeyPatch, out: Path | None, *parts: Part, small: bool = True
) -> Result:
    monkeypatch.setattr(run, "PARTS", parts)
    flags = ["--small"] if small else []
    return CliRunner().invoke(
        run.main, ["--rounds", "3", *flags, *(["--out", str(out)] if out else [])]
    )


def written(folder: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads((folder / "results.json").read_text("utf-8"))
    return values


def test_results_have_the_machine_and_rows_by_part(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    result = ran(monkeypatch, tmp_path, PEER, SECTION, small=False)
    assert result.exit_code == 0, result.output
    values = written(tmp_path)
    assert list(values) == ["machine", "elsewhere", "peer", "section"]
    first, second = values["peer"]
    assert (first["peer"], first["work"], first["goal"]) == ("numpy", "bytes", 2.0)
    assert (second["work"], second["goal"]) == ("sleep", None)
    assert first["maskplug, MiB"] == pytest.approx(OURS / 2**20, abs=1.0)
    assert first["peer, MiB"] == pytest.approx(THEIRS / 2**20, abs=1.0)
    assert values["section"] == [{"what": "side", "tokens/s": 2.0}]
    assert (tmp_path / "speed.svg").read_text().startswith("<?xml")


def test_the_small_form_writes_nothing_by_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(run, "RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(run, "IMAGES", tmp_path)
    assert ran(monkeypatch, None, SECTION).exit_code == 0
    assert not list(tmp_path.iterdir())
    assert ran(monkeypatch, None, SECTION, small=False).exit_code == 0
    assert written(tmp_path)["section"] == [{"what": "side", "tokens/s": 2.0}]


def test_a_part_that_is_not_installed_is_skipped(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    result = ran(monkeypatch, tmp_path, ABSENT, SECTION)
    assert result.exit_code == 0, result.output
    assert "no-such-distribution not installed: skipped" in result.output
    assert "absent" not in written(tmp_path)


def test_a_failing_part_leaves_the_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    result = ran(monkeypatch, tmp_path, BROKEN, SECTION)
    assert result.exit_code == 1
    assert "failed: broken: ValueError: no values" in result.output
    assert "section" in written(tmp_path)


def test_an_unknown_part_lists_the_names() -> None:
    names = [part.name for part in PARTS]
    assert len(set(names)) == len(names)
    result = CliRunner().invoke(run.main, ["--only", "nonsense"])
    assert result.exit_code == 2
    assert "'nonsense' is not one of" in result.output
    assert all(f"'{name}'" in result.output for name in names)
