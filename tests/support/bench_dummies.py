"""Parts that take no time, and parts that fail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.comparison import Comparison
from benchmarks.parts import Measurement, Peer

PEER = Peer("peer", "A peer", "bench_dummies")
HALFWAY = Peer("halfway", "A peer that fails", "bench_dummies_halfway")
SECTION = Measurement("section", "Figures", "bench_dummies")
BROKEN = Measurement("broken", "No figures", "bench_dummies_broken")
ABSENT = Measurement("absent", "Of something else", "bench_dummies", ("no-such-distribution",))
#: Bytes that each side of the first comparison takes.
OURS, THEIRS = 4 << 20, 16 << 20


def comparisons(small: bool) -> Iterator[Comparison]:
    yield Comparison(
        "bytes", "numpy", 10, lambda: np.ones(OURS, np.int8), lambda: np.ones(THEIRS, np.int8), 2.0
    )
    yield Comparison("nothing", "numpy", 10, lambda: None, lambda: None)


def measure(small: bool) -> dict[str, Any]:
    return {"side": {"tokens/s": 1.0 if small else 2.0}}


def bytes_of(number: int) -> Any:
    return lambda: np.ones(number, np.int8)
