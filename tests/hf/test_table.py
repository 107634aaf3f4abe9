"""The promise as a table: the same masks in every cell.

Workers x batch size x processes x padding side x resumed in mid-epoch; each cell is a real Trainer
run, compared with the core row by row. The runs of two processes include those with adaptive masks.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import maskplug
from support import feedback_runs as toy
from support import hf_runs as runs
from support.hf_reference import Row, reference_masks
from support.hf_runs import Seen

pytestmark = pytest.mark.xdist_group("hf-table")


@cache
def expected(samples: int) -> dict[tuple[int, tuple[int, ...]], Row]:
    """The mask of every epoch and row."""
    name, options = runs.STRATEGY
    rows = dict(enumerate(runs.rows(samples)))
    vocab = runs.collator().vocabulary
    strategy = maskplug.strategy(name, **options)
    masks = {}
    for epoch in range(runs.EPOCHS):
        by_key = reference_masks(rows, vocab, strategy, seed=runs.SEED, epoch=epoch)
        masks |= {(epoch, tuple(rows[int(key)])): row for key, row in by_key.items()}
    return masks


@pytest.fixture(scope="module")
def one_process(tmp_path_factory: pytest.TempPathFactory):
    @cache
    def seen(workers: str, batch: int, side: str) -> dict[str, list[Seen]]:
        return runs.resumed_runs(tmp_path_factory.mktemp("run"), workers, batch, side, 1)

    return lambda workers, batch, side, resume: seen(workers, batch, side)[resume]


@pytest.fixture(scope="module", autouse=True)
def _in_parallel(started_ranks) -> None:
    """Let two processes work while the runs of one process are made."""


@pytest.fixture(scope="module")
def two_processes(ranks):
    def seen(*cell: str | int) -> list[Seen]:
        name = "/".join(map(str, cell))
        first, second = (rank["masks"][name] for rank in ranks)
        assert len(first) == len(second)
        return [_read(row) for row in first + second]

    return seen


def _read(one: dict) -> Seen:
    ids, labels = one["row"]
    return Seen(**one | {"original": tuple(one["original"]), "row": (tuple(ids), tuple(labels))})


def slow_unless(small: bool) -> Any:
    return () if small else pytest.mark.slow


SMALL = {"one_process": runs.SMALL_CELLS, "two_processes": runs.SMALL_CELLS_OF_RANKS}
CELLS = [
    pytest.param(processes, *cell, marks=slow_unless(cell in SMALL[processes]))
    for processes in SMALL
    for cell in runs.CELLS
]


def workers_of(processes: str) -> list[Any]:
    small = {workers for workers, *_ in SMALL[processes]}
    return [pytest.param(w, marks=slow_unless(w in small)) for w in runs.WORKERS]


@pytest.mark.parametrize("resume", runs.RESUMES)
@pytest.mark.parametrize(("processes", "workers", "batch", "side"), CELLS)
def test_same_masks(request, processes, workers, batch, side, resume) -> None:
    seen = request.getfixturevalue(processes)(workers, batch, side, resume)
    samples = runs.SAMPLES[batch]
    assert len(seen) == runs.EPOCHS * samples  # each sample once in each epoch
    assert {(one.epoch, one.original): one.row for one in seen} == expected(samples)


@cache
def expected_at(step: int, steps: int, samples: int) -> dict[tuple[int, ...], Row]:
    """The mask of every row at one optimizer step of ``steps``."""
    name, options = runs.STEP_STRATEGY
    rows = dict(enumerate(runs.rows(samples)))
    vocab, strategy = runs.collator().vocabulary, maskplug.strategy(name, **options)
    time = {"step": step, "progress": step / (steps - 1)}
    by_key = reference_masks(rows, vocab, strategy, seed=runs.SEED, **time)
    return {tuple(rows[int(key)]): row for key, row in by_key.items()}


def check_steps(seen: list[Seen], samples: int, steps: int) -> None:
    assert len(seen) == runs.EPOCHS * samples
    assert {one.step for one in seen} == set(range(steps))
    for step in range(steps):
        expected = expected_at(step, steps, samples)
        assert all(one.row == expected[one.original] for one in seen if one.step == step)


@pytest.mark.parametrize("workers", workers_of("one_process"))
@pytest.mark.parametrize(("batch", "accumulation", "steps"), [(16, 1, 12), (4, 2, 12)])
def test_steps_of_one_process(tmp_path, batch, accumulation, steps, workers) -> None:
    seen = runs.step_runs(tmp_path, workers, batch, accumulation)
    check_steps(seen, runs.SAMPLES[batch], steps)


@pytest.mark.parametrize("workers", workers_of("two_processes"))
def test_steps_of_two_processes(two_processes, workers) -> None:
    check_steps(two_processes("step", workers), runs.SAMPLES[4], steps=6)


def test_two_processes_have_the_same_losses(ranks: Any, tmp_path: Path) -> None:
    first, second = (rank["losses"] for rank in ranks)
    for run in first:
        for name in ("scores", "sums", "tables"):
            assert first[run][name] == second[run][name]
    # One process has the same samples in each step, and the same model in all.
    trainer = toy.trainer(tmp_path, every=5, max_steps=5, learning_rate=0.0)
    trainer.train()
    scores = toy.tracking(trainer).losses.scores
    assert np.allclose(scores, first["first round"]["scores"], atol=1e-3)
    assert (scores > 0).sum() > 30
    assert [len(rank["losses"]["first round"]["rows"]) for rank in ranks] == [10, 10]


def test_two_processes_resume_in_mid_round(ranks: Any) -> None:
    for rank in ranks:
        whole, cut = rank["losses"]["whole"], rank["losses"]["cut"]
        assert cut["rows"] == [row for row in whole["rows"] if row[0] >= 8]
        assert cut["tables"] == whole["tables"]
