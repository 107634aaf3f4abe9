"""How time and peak memory of a call grow with rows, with their length and with the rate.

One size moves at a time. A slope is fitted in log-log over the upper half of the sizes, where the
fixed cost of a call is small: 1 is linear, 2 would be quadratic.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from itertools import islice
from typing import Any

import numpy as np

import maskplug
from benchmarks.inputs import batch, vocabulary
from benchmarks.objectives import masking
from benchmarks.peak import peaks
from benchmarks.timing import Call, Prepare, timed

STRATEGIES = ("dynamic", "whole_word", "span", "ngram", "t5", "bart", "ul2", "permutation")
#: For each size that moves, the (rows, length, rate) that are measured; None is the own rate.
Size = tuple[int, int, float | None]
AXES: dict[str, list[Size]] = {
    "rows": [(2**i, 512, None) for i in range(2, 14)],
    "length": [(8, 2**i, None) for i in range(7, 18)],
    "rate": [
        (128, 512, rate) for rate in (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
    ],
}
SMALL: dict[str, list[Size]] = {
    "rows": [(1, 16, None), (2, 16, None), (4, 16, None)],
    "length": [(1, 16, None), (1, 32, None), (1, 64, None)],
    "rate": [(2, 64, 0.1), (2, 64, 0.2), (2, 64, 0.4)],
}
ROUNDS = 7
#: T5 numbers its spans, and long rows have many.
SENTINELS = 50_000
#: These have no single rate.
WITHOUT = {("ul2", "rate"), ("permutation", "rate")}
#: MiB below which the account of memory is too coarse for a slope.
COARSE = 1.0


@cache
def _batch(rows: int, length: int) -> maskplug.TokenBatch:
    return batch(rows, length, vocabulary(SENTINELS))


def _calls(name: str, rows: int, length: int, rate: float | None) -> Prepare:
    made = maskplug.strategy(name, **({} if rate is None else {"rate": rate}))
    return masking(made, _batch(rows, length), vocabulary(SENTINELS))


def call(name: str, rows: int, length: int, rate: float | None) -> Call:
    """A maker of :mod:`benchmarks.peak`: one call of a strategy."""
    prepare = _calls(name, rows, length, rate)
    prepare()()
    return prepare()


def slope(sizes: Sequence[float], costs: Sequence[float], least: float = 0.0) -> float | None:
    """The power of the size that costs grow with; None where too few are above ``least``."""
    middle = math.sqrt(sizes[0] * sizes[-1])
    upper = [(x, y) for x, y in zip(sizes, costs, strict=True) if x >= middle and y > least]
    if len(upper) < 2:
        return None
    x, y = np.log(np.array(upper)).T
    return float(np.polyfit(x, y, 1)[0])


def grown(
    name: str, axis: str, sizes: Sequence[Size], rounds: int, mib: list[float] | None
) -> dict[str, Any]:
    """What a strategy costs at every size, and both slopes."""
    moving = [size[("rows", "length", "rate").index(axis)] or 0.0 for size in sizes]
    sides = {str(i): _calls(name, *size) for i, size in enumerate(sizes)}
    # The minimum: what disturbs a call only ever adds to it, and slopes need quiet figures.
    ms = [min(s) * 1e3 for s in timed(sides, rounds).values()]
    found = {"sizes": moving, "ms": ms, "slope of time": slope(moving, ms)}
    if mib is not None:
        found |= {"MiB": mib, "slope of memory": slope(moving, mib, COARSE)}
    return found


def measure(small: bool) -> dict[str, Any]:
    """For each size that moves and each strategy: sizes, milliseconds, MiB and slopes."""
    axes, rounds = (SMALL, 1) if small else (AXES, ROUNDS)
    found: dict[str, Any] = {axis: {} for axis in axes}
    for name in STRATEGIES[:1] if small else STRATEGIES:
        mine = {axis: sizes for axis, sizes in axes.items() if (name, axis) not in WITHOUT}
        asked = [(name, *size) for sizes in mine.values() for size in sizes]
        memory = peaks("benchmarks.growth:call", asked)
        left = iter(memory or ())
        for axis, sizes in mine.items():
            mib = None if memory is None else list(islice(left, len(sizes)))
            found[axis][name] = grown(name, axis, sizes, rounds, mib)
    return found
