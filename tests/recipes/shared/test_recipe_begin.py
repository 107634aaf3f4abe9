"""The initial weights of narrow models have a suitable scale."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from recipes.shared import fairseq_begin, fairseq_commands, hf_models
from recipes.shared.pieces import load_tokenizer
from recipes.shared.plan import Run
from support.recipe_runs import prepared, run_of

pytestmark = pytest.mark.xdist_group("recipe-begin")  # shares the prepared rows
KINDS = [("bart", "denoising", "bart"), ("bert", "masked_lm", "dynamic")]


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: kind[0])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    family, task, strategy = request.param
    return run_of(prepared(tmp_path_factory.mktemp(family), family, task), "fairseq", strategy)


def weights(run: Run, seed: int = 1) -> dict[str, torch.Tensor]:
    from fairseq import tasks

    stage = next(replace(run, seed=seed).stages())
    config = fairseq_begin.configured(stage)
    model: Any = fairseq_begin.initial_model(stage, tasks.setup_task(config.task), config)
    return dict(model.named_parameters())


def wide(name: str, weight: torch.Tensor) -> Any:
    """Return the approximate standard deviation of a weight."""
    inputs = weight.shape[1] * (3 if name.endswith(("fc1.weight", "fc2.weight")) else 1)
    return pytest.approx(inputs**-0.5, rel=0.2)


def test_initial_weights_suit_the_width_of_the_model(run: Run) -> None:
    for name, weight in weights(run).items():
        if weight.dim() > 1:
            assert weight.std().item() == wide(name, weight), name
        else:
            assert set(weight.tolist()) <= {0.0, 1.0}, name


@pytest.mark.parametrize("family", ["marian", "bart"])
def test_hugging_face_models_have_the_same_initial_weights(family: str, tmp_path: Path) -> None:
    run = run_of(prepared(tmp_path, family), "huggingface")
    torch.manual_seed(1)
    model = hf_models.make(next(run.stages()), load_tokenizer(run.work, family))
    for name, weight in model.named_parameters():
        if weight.dim() > 1 and not (family == "marian" and "positions" in name):
            assert weight.std().item() == wide(name, weight), name


def test_weights_depend_on_the_seed_and_leave_the_generator_unchanged(run: Run) -> None:
    before = torch.random.get_rng_state()
    first, again, other = weights(run), weights(run), weights(run, seed=2)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


def test_the_first_stage_starts_from_the_initial_checkpoint(run: Run) -> None:
    from fairseq import checkpoint_utils

    stage = next(run.stages())
    path = stage.folder / fairseq_commands.BEGIN
    command = fairseq_commands.train_command(stage)
    assert command[command.index("--finetune-from-model") + 1] == str(path)
    stage.folder.mkdir(parents=True, exist_ok=True)
    fairseq_begin.write(stage)
    assert [each.name for each in stage.folder.iterdir()] == [path.name]
    read = checkpoint_utils.load_checkpoint_to_cpu(str(path))
    assert read["extra_state"]["train_iterator"]["epoch"] == 1
    drawn = weights(run)
    assert all(torch.equal(read["model"][name], drawn[name]) for name in drawn)
