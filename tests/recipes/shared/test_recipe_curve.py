"""Learning curves are read from the logs of both frameworks, in nats."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from recipes.shared.curve import Point, of_fairseq, of_fairseq_line, of_trainer
from support.recipe_cases import put

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


def test_a_nan_loss_is_kept() -> None:
    point = of_fairseq_line(inner(50, math.nan))
    assert point is not None
    assert math.isnan(point.loss)


def test_a_log_is_read_in_the_order_of_updates(tmp_path: Path) -> None:
    log = put(tmp_path / "log", inner(50, 4) + "chatter\n" + valid(60, 3) + inner(100, 2))
    assert of_fairseq(log) == [
        Point(50, nats(4), False), Point(60, nats(3), True), Point(100, nats(2), False)
    ]  # fmt: skip


def test_the_last_of_repeated_updates_counts(tmp_path: Path) -> None:
    first = inner(50, 4) + valid(60, 3) + inner(100, 2) + inner(150, 1.9)
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


def test_a_missing_log_has_no_points(tmp_path: Path) -> None:
    assert of_fairseq(tmp_path / "nowhere") == []


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


def test_equal_losses_give_equal_curves_in_both_frameworks(tmp_path: Path) -> None:
    losses = [(50, 4.0, False), (60, 3.5, True), (100, 3.0, False), (120, 2.5, True)]
    log = "".join((valid if there else inner)(u, n / math.log(2)) for u, n, there in losses)
    history = [{("eval_loss" if there else "loss"): n, "step": u} for u, n, there in losses]
    for ours, theirs in zip(
        of_fairseq(put(tmp_path / "log", log)), of_trainer(history), strict=True
    ):
        assert ours.loss == pytest.approx(theirs.loss)
        assert ours._replace(loss=0) == theirs._replace(loss=0)
