"""Train a tiny recipe in both frameworks: equal masks, scores, and resumption after a kill."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

import maskplug_fairseq
from recipes.shared import masks, results, steps
from recipes.shared.errors import RecipeError
from recipes.shared.running import Tell
from support.observed import ObservedProcesses
from support.recipe_runs import kill_when, prepared, run_of, train_command

#: A file that exists as soon as the first checkpoint is complete.
FIRST = {
    "fairseq": "checkpoint_last.pt",
    "huggingface": "checkpoint-6/trainer_state.json",
}
Masks = dict[tuple[int, int], list[int]]
Uninterrupted = Callable[[str], tuple[Path, Masks]]
pytestmark = [
    pytest.mark.xdist_group("recipe-resume"),
    *(pytest.mark.filterwarnings(f"ignore:::{library}") for library in ("hydra", "torch")),
]


def step(title: str) -> Tell:
    return lambda done, total, note: None


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Uninterrupted:
    """Return a function for a run: its configuration, and its masked rows by t and key."""

    @cache
    def run(framework: str) -> tuple[Path, Masks]:
        folder = tmp_path_factory.mktemp(framework)
        path, observed = prepared(folder), ObservedProcesses(folder / "observed")
        with observed.in_this_process():
            steps.train(run_of(path, framework), 1, step)
        return path, observed.masks()[0]

    return run


def weights(path: Path, framework: str) -> dict[str, Any]:
    stage = next(run_of(path, framework).stages())
    if framework == "huggingface":
        return dict(load_file(stage.folder / "best" / "model.safetensors"))
    maskplug_fairseq.allow_checkpoints()
    return dict(torch.load(stage.folder / "checkpoint_last.pt", weights_only=True)["model"])


@pytest.mark.parametrize(
    "framework", [pytest.param("fairseq", marks=pytest.mark.slow), "huggingface"]
)
def test_a_killed_run_resumes_to_the_same_masks_losses_and_weights(
    tmp_path: Path, framework: str, uninterrupted: Uninterrupted
) -> None:
    path, observed = prepared(tmp_path), ObservedProcesses(tmp_path / "observed")
    run = run_of(path, framework)
    stage = next(run.stages())
    kill_when(observed.start(*train_command(path, framework)), stage.folder / FIRST[framework])
    assert not (stage.folder / "finished").exists()
    before, _ = observed.masks()
    with observed.in_this_process():
        steps.train(run, 1, step)
    other, expected = uninterrupted(framework)
    assert 0 < len(before) < len(expected)
    assert observed.masks()[0] == expected
    curve = steps.side(run).curve(stage)
    assert curve == steps.side(run).curve(next(run_of(other, framework).stages()))
    assert [point.update for point in curve if point.valid] == list(range(6, 49, 6))
    actual, wanted = weights(path, framework), weights(other, framework)
    assert actual.keys() == wanted.keys()
    assert all(torch.equal(actual[name], wanted[name]) for name in actual)


def test_both_frameworks_train_on_the_same_masks(uninterrupted: Uninterrupted) -> None:
    fairseq, hugging_face = (uninterrupted(name)[1] for name in FIRST)
    assert fairseq == hugging_face
    assert {t for t, _ in fairseq} == set(range(6))
    assert len(fairseq) == 6 * 64


def test_both_frameworks_draw_the_masks_that_they_trained_on(
    uninterrupted: Uninterrupted, capsys: pytest.CaptureFixture[str]
) -> None:
    path, trained = uninterrupted("huggingface")
    runs = [run_of(path, framework) for framework in ("fairseq", "huggingface")]
    drawn = masks.of_hugging_face(next(runs[1].stages()), 2)
    assert {key: row.inputs for key, row in drawn.items()} == {key: trained[key] for key in drawn}
    masks.compare(runs, epochs=2)
    assert "128 of 128 masked rows" in capsys.readouterr().out


@pytest.mark.parametrize(
    "framework", [pytest.param("fairseq", marks=pytest.mark.slow), "huggingface"]
)
def test_a_trained_run_is_scored_and_recorded(uninterrupted: Uninterrupted, framework: str) -> None:
    path, _ = uninterrupted(framework)
    run = run_of(path, framework)
    metrics = steps.evaluate(run, "test", 1, step)
    steps.record(run, metrics, path.parent / "results.json")
    (entry,) = results.read(path.parent / "results.json")
    assert entry["framework"] == framework
    assert 0 <= entry["metrics"]["bleu"] <= 100
    assert (entry["updates"], [*entry["curves"]]) == (48, ["translation"])
    assert entry["seconds"] > 0
    assert entry["command"].startswith(f"python -m recipes train {path}")
    assert len((run.folder / "test.out").read_text().splitlines()) == 8


def test_a_run_with_other_settings_is_not_resumed(uninterrupted: Uninterrupted) -> None:
    path, _ = uninterrupted("huggingface")
    other = path.with_name("other.toml")
    other.write_text(path.read_text().replace("batch = 8", "batch = 4"))
    with pytest.raises(RecipeError, match="a run with other settings"):
        steps.train(run_of(other, "huggingface"), 1, step)
