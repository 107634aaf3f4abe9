"""Train a tiny recipe in both frameworks: equal masks, scores, and resumption after a kill."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

import maskplug_fairseq
from recipes.shared import masks, results, steps
from recipes.shared.running import Tell
from support.recipe_runs import Observed, kill_when, output, prepared, run_of, train

#: A file that exists as soon as the first checkpoint is complete.
FIRST = {
    "fairseq": "checkpoint_last.pt",
    "huggingface": "checkpoint-6/trainer_state.json",
}
Whole = Callable[[str], tuple[Path, Observed]]
pytestmark = [
    pytest.mark.xdist_group("recipe-resume"),
    *(pytest.mark.filterwarnings(f"ignore:::{library}") for library in ("hydra", "torch")),
]


def step(title: str) -> Tell:
    return lambda done, total, note: None


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """Return an uninterrupted run: its configuration, and the process that recorded its masks."""
    trained: dict[str, tuple[Path, Observed]] = {}

    def run(framework: str) -> tuple[Path, Observed]:
        if framework not in trained:
            folder = tmp_path_factory.mktemp(framework)
            path, observed = prepared(folder), Observed(folder / "watch")
            output(observed.start(*train(path, framework)))
            trained[framework] = path, observed
        return trained[framework]

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
    tmp_path: Path, framework: str, whole: Whole
) -> None:
    path, observed = prepared(tmp_path), Observed(tmp_path / "watch")
    run = run_of(path, framework)
    stage = next(run.stages())
    kill_when(observed.start(*train(path, framework)), stage.folder / FIRST[framework])
    assert not (stage.folder / "finished").exists()
    before = len(observed.seen())
    output(observed.start(*train(path, framework)))
    calm, undisturbed = whole(framework)
    assert 0 < before < len(undisturbed.seen())
    assert observed.seen() == undisturbed.seen()
    curve = steps.side(run).curve(stage)
    assert curve == steps.side(run).curve(next(run_of(calm, framework).stages()))
    assert [point.update for point in curve if point.valid] == list(range(6, 49, 6))
    resumed, uninterrupted = weights(path, framework), weights(calm, framework)
    assert resumed.keys() == uninterrupted.keys()
    assert all(torch.equal(resumed[name], uninterrupted[name]) for name in resumed)


def test_both_frameworks_train_on_the_same_masks(whole: Whole) -> None:
    ours, theirs = (whole(framework)[1].seen() for framework in ("fairseq", "huggingface"))
    assert ours == theirs
    assert {t for t, _ in ours} == set(range(6))
    assert len(ours) == 6 * 64


def test_both_frameworks_draw_the_masks_that_they_trained_on(
    whole: Whole, capsys: pytest.CaptureFixture[str]
) -> None:
    path, observed = whole("huggingface")
    runs = [run_of(path, framework) for framework in ("fairseq", "huggingface")]
    drawn = masks.of_hugging_face(next(runs[1].stages()), 2)
    seen = observed.seen()
    assert {key: row.inputs for key, row in drawn.items()} == {k: seen[k] for k in drawn}
    masks.compare(runs, epochs=2)
    assert "128 of 128 masked rows" in capsys.readouterr().out


@pytest.mark.parametrize("framework", ["fairseq", "huggingface"])
def test_a_trained_run_is_scored_and_recorded(whole: Whole, framework: str) -> None:
    path, _ = whole(framework)
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


def test_a_run_with_other_settings_is_not_resumed(whole: Whole, tmp_path: Path) -> None:
    path, _ = whole("huggingface")
    other = tmp_path / "other.toml"
    other.write_text(path.read_text().replace("batch = 8", "batch = 4"))
    words = train(other, "huggingface")
    words[words.index("--out") + 1] = str(path.parent / "work")
    process = Observed(tmp_path / "watch").start(*words)
    text, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "a run with other settings" in text
    assert "Traceback" not in text
