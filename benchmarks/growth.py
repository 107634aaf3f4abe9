"""Measure how time and peak memory of a call grow with rows, length and rate.

A slope is fitted in log-log coordinates over the upper half of the sizes, where the fixed cost of a
call is small: 1 is linear, 2 is quadratic.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache, partial

import numpy as np

import maskplug
from benchmarks.inputs import SENTINELS, batch, unseen, vocabulary
from benchmarks.timing import Prepare, Row, peak, timed

STRATEGIES = ("dynamic", "whole_word", "span", "ngram", "t5", "bart", "ul2", "permutation")
#: For each axis, the (rows, length, rate) to measure; the rate None is the default of a strategy.
Size = tuple[int, int, float | None]
RATES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
AXES: dict[str, list[Size]] = {
    "rows": [(2**i, 512, None) for i in range(2, 14)],
    "length": [(8, 2**i, None) for i in range(7, 18)],
    "rate": [(128, 512, rate) for rate in RATES],
}
#: These have no single rate.
WITHOUT = {("ul2", "rate"), ("permutation", "rate")}
#: Below so many MiB, the account of memory is too coarse for a slope.
COARSE = 1.0

_batch = cache(partial(batch, sentinels=SENTINELS))


def calls(name: str, rows: int, length: int, rate: float | None) -> Prepare:
    """Prepare calls of a strategy, each in the same epoch on a batch without cached properties."""
    strategy = maskplug.strategy(name, **({} if rate is None else {"rate": rate}))
    vocab = vocabulary(SENTINELS)
    return lambda: partial(strategy, unseen(_batch(rows, length)), vocab, seed=1)


def slope(sizes: Sequence[float], costs: Sequence[float], least: float = 0.0) -> float | None:
    """Return the power of the size with which costs grow; None if too few exceed ``least``."""
    middle = math.sqrt(sizes[0] * sizes[-1])
    upper = [(x, y) for x, y in zip(sizes, costs, strict=True) if x >= middle and y > least]
    if len(upper) < 2:
        return None
    x, y = np.log(np.array(upper)).T
    return round(float(np.polyfit(x, y, 1)[0]), 2)


def measure(small: bool) -> list[Row]:
    """Return the slopes of each strategy, and under "curves" the values by axis."""
    number, rounds = (3, 1) if small else (None, 7)
    rows = []
    for name in STRATEGIES[:1] if small else STRATEGIES:
        row: Row = {"strategy": name, "curves": {}}
        for axis, sizes in AXES.items():
            row |= {f"time by {axis}": None, f"memory by {axis}": None}
            if (name, axis) not in WITHOUT:
                row["curves"][axis] = values = _curve(name, axis, sizes[:number], rounds)
                row[f"time by {axis}"] = slope(values["sizes"], values["ms"])
                row[f"memory by {axis}"] = slope(values["sizes"], values["MiB"], COARSE)
        rows.append(row)
    return rows


def _curve(name: str, axis: str, sizes: Sequence[Size], rounds: int) -> dict[str, list[float]]:
    prepared = {str(i): calls(name, *size) for i, size in enumerate(sizes)}
    # The minimum: other programs only ever add time, and slopes need values without noise.
    seconds = [min(values) for values in timed(prepared, rounds).values()]
    return {
        "sizes": [float(size[list(AXES).index(axis)] or 0) for size in sizes],
        "ms": [s * 1e3 for s in seconds],
        "MiB": [peak(prepare()) or 0.0 for prepare in prepared.values()],
    }
