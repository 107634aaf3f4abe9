"""Read the learning curve of a stage, in the same units for both frameworks."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

#: The last values of a line: after a kill, the next line continues an incomplete one.
FIGURES = re.compile(r".*\| (train_inner|valid) \| (\{.*\})")


class Point(NamedTuple):
    """The loss after some updates.

    Args:
        update: the number of updates.
        loss: in nats per predicted token (or sample), including label smoothing.
        valid: whether it is the loss on the validation rows.
    """

    update: int
    loss: float
    valid: bool


def of_fairseq_line(line: str) -> Point | None:
    """Return the point in a line of fairseq's JSON log, whose losses are in bits."""
    match = FIGURES.search(line)
    if not match:
        return None
    values, valid = json.loads(match[2]), match[1] == "valid"
    prefix = "valid_" if valid else ""
    loss = float(values[f"{prefix}loss"]) * math.log(2)
    return Point(int(values[f"{prefix}num_updates"]), loss, valid)


def of_fairseq(log: Path) -> list[Point]:
    """Return the curve in a log of fairseq-train; resumed runs continue the log."""
    if not log.exists():
        return []
    return _sorted(point for line in log.open() if (point := of_fairseq_line(line)))


def of_trainer(history: Iterable[dict[str, Any]]) -> list[Point]:
    """Return the curve in the ``state.log_history`` of a Trainer."""
    points = []
    for entry in history:
        for name in ("loss", "eval_loss"):
            if name in entry:
                points.append(Point(int(entry["step"]), float(entry[name]), name == "eval_loss"))
    return _sorted(points)


def _sorted(points: Iterable[Point]) -> list[Point]:
    """Sort points; keep the last of those that an interrupted run computed twice."""
    latest = {(point.update, point.valid): point for point in points}
    return [latest[moment] for moment in sorted(latest)]
