"""``python -m benchmarks.run``: every part in its small form, output, and failures."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner, Result

from benchmarks import inputs, loading, run, training
from benchmarks.loading import Side, Size
from benchmarks.parts import PARTS, Part, Row
from benchmarks.results import tables
from support import bench_dummies as dummies

#: Files with the fairseq commands of other tests.
pytestmark = [
    pytest.mark.xdist_group("fairseq"),
    pytest.mark.filterwarnings("ignore"),  # of the other libraries
]
SIZE = Size(rows=2, length=64, batches=3, rounds=1)


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


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_every_part_runs(part: Part, small: Callable[[str], list[Row]]) -> None:
    if part.missing:
        pytest.skip(f"{', '.join(part.missing)} not installed")
    rows = small(part.name)
    assert rows
    if part.peer:
        assert len({(row["peer"], row["work"]) for row in rows}) == len(rows)
        assert all(row["ratio"] > 0 for row in rows)
    for table in tables(rows):
        assert table.rows
        assert all(len(row) == len(table.head) for row in table.rows)


def test_loaders_are_measured_with_and_without_workers(small: Callable[[str], list[Row]]) -> None:
    rows = small("loading")
    sources = ["lists", "Arrow", "Arrow, numpy", "Arrow, Trainer"]
    expected = [(source, workers) for source in sources for workers in (0, 2)]
    assert [(row["rows"], row["workers"]) for row in rows] == expected
    assert {row["workers"]: row["goal"] for row in rows} == {0: None, 2: 10.0}
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


@pytest.mark.parametrize("part", [loading, training], ids=["loading", "training"])
def test_torch_keeps_its_threads(part: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "measured", lambda *_: {})
    monkeypatch.setattr(training, "rows", lambda *_: [])
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        part.measure(small=True)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_the_model_costs_the_same_on_both_sides(monkeypatch: pytest.MonkeyPatch) -> None:
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

    rows = inputs.random_rows(SIZE.batches * SIZE.rows, SIZE.length)
    side = make(datasets.Dataset.from_list(rows), 0, SIZE)["maskplug"]
    first, second = masks(side), masks(side)
    assert first.keys() == second.keys()
    assert all(first[row] != second[row] for row in first)


def masks(side: Side) -> dict[tuple[int, ...], tuple[int, ...]]:
    """Return the labels of an epoch by the original rows."""
    side.begin()
    by_row = {}
    for batch in side.loader:
        ids, labels = batch["input_ids"], batch["labels"]
        for row, label in zip(torch.where(labels < 0, ids, labels), labels, strict=True):
            by_row[tuple(row.tolist())] = tuple(label.tolist())
    assert len(by_row) == SIZE.batches * SIZE.rows
    return by_row


def test_idle_loaders_return_what_collators_return() -> None:
    for name, side in loading.idle(0, SIZE).items():
        batches = list(side.loader)
        assert len(batches) == SIZE.batches
        for value in batches[0].values():
            assert (type(value) is torch.Tensor) == (name == "tensors")
            assert (value.shape, str(value.dtype)[-5:]) == ((SIZE.rows, SIZE.length), "int64")


def ran(
    monkeypatch: pytest.MonkeyPatch, out: Path | None, *parts: Any, small: bool = True
) -> Result:
    monkeypatch.setattr(run, "PARTS", parts)
    monkeypatch.setattr("benchmarks.results.PARTS", parts)
    monkeypatch.setattr("benchmarks.plots.PARTS", parts)
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
    result = ran(monkeypatch, tmp_path, dummies.PEER, dummies.SECTION, small=False)
    assert result.exit_code == 0, result.output
    values = written(tmp_path)
    assert list(values) == ["machine", "elsewhere", "peer", "section"]
    first, second = values["peer"]
    assert (first["peer"], first["work"], first["goal"]) == ("numpy", "bytes", 2.0)
    assert (second["work"], second["goal"]) == ("nothing", None)
    assert first["maskplug, MiB"] == pytest.approx(dummies.OURS / 2**20, abs=1.0)
    assert first["peer, MiB"] == pytest.approx(dummies.THEIRS / 2**20, abs=1.0)
    assert values["section"] == [{"what": "side", "tokens/s": 2.0}]
    assert (tmp_path / "speed.svg").read_text().startswith("<?xml")


def test_the_small_form_writes_nothing_by_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(run, "RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(run, "IMAGES", tmp_path)
    assert ran(monkeypatch, None, dummies.SECTION).exit_code == 0
    assert not list(tmp_path.iterdir())
    assert ran(monkeypatch, None, dummies.SECTION, small=False).exit_code == 0
    assert written(tmp_path)["section"] == [{"what": "side", "tokens/s": 2.0}]


def test_a_part_that_is_not_installed_is_skipped(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    result = ran(monkeypatch, tmp_path, dummies.ABSENT, dummies.SECTION)
    assert result.exit_code == 0, result.output
    assert "no-such-distribution not installed: skipped" in result.output
    assert "absent" not in written(tmp_path)


def test_a_failing_part_leaves_the_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    result = ran(monkeypatch, tmp_path, dummies.BROKEN, dummies.SECTION)
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
