"""Both frameworks: initial weights, the order of rows, and learning curves in nats."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recipes.shared import fairseq_begin, fairseq_commands, hf_models
from recipes.shared.curve import Point, of_fairseq, of_fairseq_line, of_trainer
from recipes.shared.hf_rows import GroupedByLength, lengths
from recipes.shared.pieces import load_tokenizer
from recipes.shared.plan import Run
from support.recipe_cases import put
from support.recipe_runs import prepared, run_of

pytestmark = pytest.mark.xdist_group("recipe-frameworks")  # shares the prepared rows

# --- initial weights -----------------------------------------------------------------------------

KINDS = {
    "marian": ("translation", "dynamic"),
    "bart": ("denoising", "bart"),
    "bert": ("masked_lm", "dynamic"),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return a function for a run of a family in a framework; rows are prepared once."""

    @cache
    def path_of(family: str) -> Path:
        return prepared(tmp_path_factory.mktemp(family), family, KINDS[family][0])

    return lambda family, framework: run_of(path_of(family), framework, KINDS[family][1])


@pytest.fixture(params=["bart", "bert"])
def run(request: pytest.FixtureRequest, runs: Any) -> Run:
    return runs(request.param, "fairseq")  # type: ignore[no-any-return]


def weights(run: Run, seed: int = 1) -> dict[str, torch.Tensor]:
    from fairseq import tasks

    stage = next(replace(run, seed=seed).stages())
    config = fairseq_begin.configured(stage)
    model: Any = fairseq_begin.initial_model(stage, tasks.setup_task(config.task), config)
    return dict(model.named_parameters())


def expected_deviation(name: str, weight: torch.Tensor) -> Any:
    """Return the approximate standard deviation of a weight."""
    inputs = weight.shape[1] * (3 if name.endswith(("fc1.weight", "fc2.weight")) else 1)
    return pytest.approx(inputs**-0.5, rel=0.2)


def test_initial_weights_suit_the_width_of_the_model(run: Run) -> None:
    for name, weight in weights(run).items():
        if weight.dim() > 1:
            assert weight.std().item() == expected_deviation(name, weight), name
        else:
            assert set(weight.tolist()) <= {0.0, 1.0}, name


@pytest.mark.parametrize("family", ["marian", "bart"])
def test_hugging_face_models_have_the_same_initial_weights(family: str, runs: Any) -> None:
    run = runs(family, "huggingface")
    torch.manual_seed(1)
    model = hf_models.make(next(run.stages()), load_tokenizer(run.work, family))
    for name, weight in model.named_parameters():
        if weight.dim() > 1 and not (family == "marian" and "positions" in name):
            assert weight.std().item() == expected_deviation(name, weight), name


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


# --- the order of rows in Hugging Face -----------------------------------------------------------

LENGTHS = st.lists(st.integers(1, 30), min_size=1, max_size=80)


def order(sampler: GroupedByLength, epoch: int) -> list[int]:
    sampler.set_epoch(epoch)
    return list(sampler)


@given(LENGTHS, st.integers(1, 20), st.integers(0, 5), st.integers(0, 9))
def test_each_epoch_contains_every_row_once(
    rows: list[int], batch: int, seed: int, epoch: int
) -> None:
    sampler = GroupedByLength([rows], batch, seed)
    assert sorted(order(sampler, epoch)) == list(range(len(rows)))
    assert len(sampler) == len(rows)


@given(LENGTHS, st.integers(1, 20), st.integers(0, 9))
def test_order_depends_only_on_seed_and_epoch(rows: list[int], batch: int, epoch: int) -> None:
    used = GroupedByLength([rows], batch, 3)
    for before in range(epoch):
        order(used, before)
    np.random.seed(7)  # noqa: NPY002 (whatever the global generator does)
    fresh = GroupedByLength([rows], batch, 3)
    assert order(used, epoch) == order(fresh, epoch) == list(fresh)


def test_epochs_and_seeds_have_different_orders() -> None:
    rows = [1 + i % 9 for i in range(100)]
    orders = {
        (seed, epoch): tuple(order(GroupedByLength([rows], 8, seed), epoch))
        for seed in range(3)
        for epoch in range(3)
    }
    assert len(set(orders.values())) == 9


@given(LENGTHS, st.integers(1, 20), st.integers(0, 9))
def test_batches_contain_neighbours_by_length(rows: list[int], batch: int, epoch: int) -> None:
    indices = order(GroupedByLength([rows], batch, 1), epoch)
    starts = range(0, len(rows), batch)
    batches = Counter(tuple(sorted(rows[row] for row in indices[i : i + batch])) for i in starts)
    assert batches == Counter(tuple(sorted(rows)[i : i + batch]) for i in starts)


def test_batches_differ_between_epochs_for_equal_lengths() -> None:
    sampler = GroupedByLength([[5] * 40], 4, 1)
    batches = [
        {frozenset(indices[i : i + 4]) for i in range(0, 40, 4)}
        for indices in (order(sampler, 0), order(sampler, 1))
    ]
    assert batches[0] != batches[1]


def test_target_lengths_order_rows_with_equal_source_lengths() -> None:
    sources, targets = [3, 3, 3, 3, 1, 1, 1, 1], [9, 1, 9, 1, 2, 7, 2, 7]
    indices = order(GroupedByLength([sources, targets], 2, 1), 4)
    batches = {frozenset(indices[i : i + 2]) for i in range(0, 8, 2)}
    assert batches == {frozenset({0, 2}), frozenset({1, 3}), frozenset({4, 6}), frozenset({5, 7})}


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"input_ids": [[1, 2], [3]], "labels": [[1], [2, 3, 4]]}, [[2, 1], [1, 3]]),
        ({"input_ids": [[1, 2], [3]], "labels": [0, 1]}, [[2, 1]]),
        ({"input_ids": [[1, 2], [3]]}, [[2, 1]]),
    ],
)
def test_lengths_include_targets_that_are_sequences(
    columns: dict[str, list[object]], expected: list[list[int]]
) -> None:
    from datasets import Dataset

    assert lengths(Dataset.from_dict(columns)) == expected


# --- learning curves -----------------------------------------------------------------------------

HEAD = "2026-01-31 12:00:00 | INFO | "
INNER = (
    '{"epoch": 1, "update": 0.5, "loss": "2", "nll_loss": "1.5", "num_updates": "50", "lr": "0"}'
)
VALID = '{"epoch": 1, "valid_loss": "3", "valid_ppl": "8", "valid_num_updates": "60"}'


def inner(update: int, loss: float) -> str:
    values = json.loads(INNER) | {"loss": str(loss), "num_updates": str(update)}
    return f"{HEAD}train_inner | {json.dumps(values)}\n"


def valid(update: int, loss: float) -> str:
    values = json.loads(VALID) | {"valid_loss": str(loss), "valid_num_updates": str(update)}
    return f"{HEAD}valid | {json.dumps(values)}\n"


def nats(bits: float) -> float:
    return bits * math.log(2)


def test_fairseq_losses_are_converted_from_bits_to_nats() -> None:
    assert of_fairseq_line(f"{HEAD}train_inner | {INNER}") == Point(50, nats(2), False)
    assert of_fairseq_line(f"{HEAD}valid | {VALID}\n") == Point(60, nats(3), True)
    nan = of_fairseq_line(inner(50, math.nan))
    assert nan is not None
    assert math.isnan(nan.loss)


@pytest.mark.parametrize(
    "line",
    [
        "",
        f"{HEAD}fairseq.trainer | begin training epoch 1\n",
        f"{HEAD}train | {INNER}\n",  # the mean of the epoch, which repeats the same losses
        f"{HEAD}train_inner | epoch 001: 50 / 100 loss=2\n",
        f"{HEAD}train_inner | {INNER[:40]}",
        f"{HEAD}fairseq_cli.train | {{'_name': None, 'common': {{}}}}\n",
    ],
)
def test_other_log_lines_are_ignored(line: str) -> None:
    assert of_fairseq_line(line) is None


def test_a_log_is_sorted_and_the_last_of_repeated_updates_counts(tmp_path: Path) -> None:
    first = inner(50, 4) + "chatter\n" + valid(60, 3) + inner(100, 2) + inner(150, 1.9)
    log = put(tmp_path / "log", first + inner(100, 2.5) + valid(120, 1) + inner(150, 1.5))
    assert [(p.update, p.valid, round(p.loss / math.log(2), 6)) for p in of_fairseq(log)] == [
        (50, False, 4), (60, True, 3), (100, False, 2.5), (120, True, 1), (150, False, 1.5)
    ]  # fmt: skip


@pytest.mark.parametrize("cut", range(len(HEAD), len(inner(100, 2)), 7))
def test_an_incomplete_line_is_ignored(tmp_path: Path, cut: int) -> None:
    log = put(
        tmp_path / "log", inner(50, 4) + inner(100, 2)[:cut] + inner(100, 2.5) + valid(100, 3)
    )
    assert [(p.update, round(p.loss / math.log(2), 6)) for p in of_fairseq(log)] == [
        (50, 4), (100, 2.5), (100, 3)
    ]  # fmt: skip


HISTORY: list[dict[str, Any]] = [
    {"loss": 4, "grad_norm": 1.0, "learning_rate": 0.1, "epoch": 0.5, "step": 50},
    {"eval_loss": 3.0, "eval_accuracy": 0.5, "epoch": 0.6, "step": 60},
    {"loss": "2.5", "epoch": 1.0, "step": 100},
    {"train_loss": 3.1, "train_runtime": 9.0, "epoch": 1.0, "step": 100},
]


def test_trainer_history_is_read() -> None:
    points = [Point(50, 4.0, False), Point(60, 3.0, True), Point(100, 2.5, False)]
    assert of_trainer(HISTORY) == points
    assert of_trainer([*HISTORY, {"eval_loss": 2.9, "step": 60}])[1] == Point(60, 2.9, True)
    assert of_trainer([]) == []


def test_a_missing_log_has_no_points(tmp_path: Path) -> None:
    assert of_fairseq(tmp_path / "nowhere") == []
