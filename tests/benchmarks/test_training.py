"""The share of masking is measured in real runs of both frameworks, by a clock that is right."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from benchmarks import training, training_steps
from benchmarks.training_steps import Clock, Spent

#: Whose deprecations are not ours.
LIBRARIES = ("hydra", "torch", "fairseq", "numpy")

pytestmark = [
    pytest.mark.xdist_group("fairseq"),  # with the other runs of its commands
    *(pytest.mark.filterwarnings(f"ignore:::{library}") for library in LIBRARIES),
]


@pytest.fixture(scope="module")
def threads() -> int:
    return torch.get_num_threads()


@pytest.fixture(scope="module")
def found(threads: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = training.measure(small=True)["steps"]
    return rows


def test_both_frameworks_with_both_kinds_of_masking(found: list[dict[str, Any]]) -> None:
    assert [(row["framework"], row["masking"]) for row in found] == [
        ("Hugging Face", "maskplug"),
        ("Hugging Face", "transformers"),
        ("fairseq", "maskplug"),
        ("fairseq", "fairseq masked_lm"),
    ]


def test_masking_is_a_part_of_each_step(found: list[dict[str, Any]]) -> None:
    for row in found:
        assert 0 < row["of which masking"] < row["seconds a step"]
        share = row["of which masking"] / row["seconds a step"]
        assert row["share, %"] == pytest.approx(100 * share)
        assert row["tokens/s"] == pytest.approx(32 / row["seconds a step"])


def test_the_model_costs_the_same_on_both_sides() -> None:
    runs = {True: Spent(masking=1.0, rest=19.0), False: Spent(masking=4.0, rest=16.0)}
    ours, theirs = training.rows("a", "b", training.TOY[0], lambda shape, ours: runs[ours])
    assert (ours["masking"], ours["seconds a step"]) == ("maskplug", 17.0)
    assert (theirs["masking"], theirs["seconds a step"]) == ("b", 20.0)


def test_its_figures_are_documented(found: list[dict[str, Any]]) -> None:
    assert all(f'"{name}"' in str(training.__doc__) for row in found for name in row)


def test_torch_keeps_its_threads(threads: int, found: list[dict[str, Any]]) -> None:
    assert torch.get_num_threads() == threads


def test_the_clock_leaves_out_the_first_step(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([0, 50, 90, 100, 102, 110, 120, 126, 140])  # masked from, to, and the step's end
    monkeypatch.setattr(training_steps.time, "perf_counter", lambda: float(next(now)))
    clock = Clock()
    for _ in range(3):
        with clock.masking():
            pass
        clock.step_ended()
    assert clock.spent() == Spent(masking=2.0, rest=18.0)
