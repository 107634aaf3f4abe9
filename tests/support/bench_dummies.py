"""Parts that take no time, and a part that fails."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.parts import Part
from benchmarks.timing import Comparison

#: ``Part`` imports functions from the package benchmarks.
sys.modules["benchmarks.dummies"] = sys.modules[__name__]

PEER = Part("peer", "A peer", "dummies:comparisons", peer=True)
SECTION = Part("section", "Rows", "dummies:measure")
BROKEN = Part("broken", "No rows", "dummies:fail")
ABSENT = Part("absent", "Not installed", "dummies:measure", ("no-such-distribution",))
#: Bytes that each side of the first comparison allocates.
OURS, THEIRS = 4 << 20, 16 << 20


def comparisons(small: bool) -> Iterator[Comparison]:
    yield Comparison(
        "bytes", "numpy", 10, lambda: np.ones(OURS, np.int8), lambda: np.ones(THEIRS, np.int8), 2.0
    )
    yield Comparison("nothing", "numpy", 10, lambda: None, lambda: None)


def measure(small: bool) -> list[dict[str, Any]]:
    return [{"what": "side", "tokens/s": 1.0 if small else 2.0}]


def fail(small: bool) -> list[dict[str, Any]]:
    raise ValueError("no values")
