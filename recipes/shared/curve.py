"""The learning curve of one stage, in the same units whichever framework wrote the log."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

#: The last figures of a line: a killed program leaves half a line, which the next one goes on with.
FIGURES = re.compile(r".*\| (train_inner|valid) \| (\{.*\})")


class Point(NamedTuple):
    """The loss at one moment.

    Args:
        update: how many there were.
        loss: in nats a predicted token (or sample), label smoothing included.
        valid: whether of the validation rows.
    """

    update: int
    loss: float
    valid: bool


def of_fairseq_line(line: str) -> Point | None:
    """What a line of fairseq's JSON log tells; its losses are in bits."""
    match = FIGURES.search(line)
    if not match:
        return None
    said, valid = json.loads(match[2]), match[1] == "valid"
    prefix = "valid_" if valid else ""
    loss = float(said[f"{prefix}loss"]) * math.log(2)
    return Point(int(said[f"{prefix}num_updates"]), loss, valid)


def of_fairseq(log: Path) -> list[Point]:
    """The curve in a log of fairseq-train, which a resumed run continues."""
    if not log.exists():
        return []
    return _sorted(point for line in log.open() if (point := of_fairseq_line(line)))


def of_trainer(history: Iterable[dict[str, Any]]) -> list[Point]:
    """The curve in a Trainer's ``state.log_history``."""
    points = []
    for said in history:
        for name in ("loss", "eval_loss"):
            if name in said:
                points.append(Point(int(said["step"]), float(said[name]), name == "eval_loss"))
    return _sorted(points)


def _sorted(points: Iterable[Point]) -> list[Point]:
    """In order; of what was trained twice after an interruption, what was said last."""
    latest = {(point.update, point.valid): point for point in points}
    return [latest[moment] for moment in sorted(latest)]
