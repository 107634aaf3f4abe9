"""A scalar reference of adaptive masks, written from docs/randomness-adaptive.md only."""

from __future__ import annotations

import math
from fractions import Fraction

from support import reference_masked_lm as ref
from support.reference import Sample, exact


class Rounds:
    """The scores of each class, updated loss by loss."""

    def __init__(self, classes: int, every: int, momentum: float) -> None:
        self.classes, self.every, self.momentum = classes, every, momentum
        self.scores: dict[int, float] = {}
        self.heard: dict[int, list[int]] = {}
        self.tables: dict[int, list[float]] = {0: [1.0] * classes, 1: [1.0] * classes}

    def tell(self, label: int, loss: float) -> None:
        if math.isfinite(loss):
            counted = round(min(max(loss, 0.0), 2.0**15) * 2.0**20)
            self.heard.setdefault(label, []).append(counted)

    def end(self, number: int) -> None:
        for label, counted in self.heard.items():
            mean = sum(counted) / len(counted) / 2**20
            old = self.scores.get(label)
            moved = mean if old is None else old + (1.0 - self.momentum) * (mean - old)
            self.scores[label] = moved
        self.heard = {}
        self.tables[number + 2] = self.table()

    def table(self) -> list[float]:
        if not self.scores:
            return [1.0] * self.classes
        low = min(self.scores.values())
        total = float(sum(Fraction(s - low) for s in self.scores.values()))
        mean = low + total / len(self.scores)
        if mean == 0.0:
            return [1.0] * self.classes
        return [self.scores[c] / mean if c in self.scores else 1.0 for c in range(self.classes)]


def adaptive(
    sample: Sample, classes: list[int], table: list[float], rate: float, floor: float
) -> list[bool]:
    """Return which units are selected at a temperature of 1."""
    weights = [max(floor, table[label]) for label in classes]
    budget = sample.budget(rate, len(classes))
    return ref.weighted(sample.stream("weighted"), weights, budget)


def hard(sample: Sample, losses: list[float], bar: float, rate: float) -> list[bool]:
    """Return which units are selected."""
    over = [loss > bar for loss in losses]
    if any(over):
        return over
    return exact(sample.words("exact", len(losses)), sample.budget(rate, len(losses)))
