"""A killed run goes on to the same masks, losses and weights; both frameworks mask alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

import maskplug_fairseq
from recipes.shared.steps import side
from support.recipe_runs import Observed, kill_when, output, prepared, run_of

#: What is there when the first checkpoint is.
FIRST = {
    "fairseq": "checkpoint_last.pt",
    "huggingface": "checkpoint-6/trainer_state.json",
}
pytestmark = pytest.mark.xdist_group("recipe-resume")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, Observed]]:
    """A run that nobody interrupts: its configuration, and the masks."""
    made: dict[str, tuple[Path, Observed]] = {}

    def run(framework: str) -> tuple[Path, Observed]:
        if framework not in made:
            folder = tmp_path_factory.mktemp(framework)
            path, watched = prepared(folder), Observed(folder / "watch")
            output(watched.start(*train(path, framework)))
            made[framework] = path, watched
        return made[framework]

    return run


def train(path: Path, framework: str) -> list[str]:
    words = ["train", str(path), "--out", str(path.parent / "work"), "--framework", framework]
    return [*words, "--threads", "1"]


def weights(path: Path, framework: str) -> dict[str, Any]:
    stage = next(run_of(path, framework).stages())
    if framework == "huggingface":
        return dict(load_file(stage.folder / "best" / "model.safetensors"))
    maskplug_fairseq.allow_checkpoints()
    return dict(torch.load(stage.folder / "checkpoint_last.pt", weights_only=True)["model"])


@pytest.mark.parametrize("framework", ["fairseq", "huggingface"])
def test_killed_in_training_it_ends_as_if_nothing_had_happened(
    tmp_path: Path, framework: str, whole: Callable[[str], tuple[Path, Observed]]
) -> None:
    path, watched = prepared(tmp_path), Observed(tmp_path / "watch")
    run = run_of(path, framework)
    stage = next(run.stages())
    kill_when(watched.start(*train(path, framework)), stage.folder / FIRST[framework])
    assert not (stage.folder / "finished").exists()
    before = len(watched.seen())
    output(watched.start(*train(path, framework)))
    calm, undisturbed = whole(framework)
    assert 0 < before < len(undisturbed.seen())
    assert watched.seen() == undisturbed.seen()
    curve = side(run).curve(stage)
    assert curve == side(run).curve(next(run_of(calm, framework).stages()))
    assert [point.update for point in curve if point.valid] == list(range(6, 49, 6))
    resumed, uninterrupted = weights(path, framework), weights(calm, framework)
    assert resumed.keys() == uninterrupted.keys()
    assert all(torch.equal(resumed[name], uninterrupted[name]) for name in resumed)


def test_both_frameworks_train_on_the_same_masks(
    whole: Callable[[str], tuple[Path, Observed]],
) -> None:
    ours, theirs = (whole(framework)[1].seen() for framework in ("fairseq", "huggingface"))
    assert ours == theirs
    assert {t for t, _ in ours} == set(range(6))
    assert len(ours) == 6 * 64


def test_a_run_of_other_settings_is_not_gone_on_with(
    whole: Callable[[str], tuple[Path, Observed]], tmp_path: Path
) -> None:
    path, _ = whole("huggingface")
    other = tmp_path / "other.toml"
    other.write_text(path.read_text().replace("batch = 8", "batch = 4"))
    words = train(other, "huggingface")
    words[words.index("--out") + 1] = str(path.parent / "work")
    process = Observed(tmp_path / "watch").start(*words)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "run of other settings" in said
    assert "Traceback" not in said
