"""How a comparison is timed: both sides in turn, one thread, the median of many calls."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable


def medians(sides: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Seconds a call of each side: the median over ``repeats``, after one call to warm up.

    The sides take turns, so that a busy moment of the machine falls on all of them.
    """
    for call in sides.values():
        call()
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(repeats):
        for name, call in sides.items():
            begun = time.perf_counter()
            call()
            seconds[name].append(time.perf_counter() - begun)
    return {name: statistics.median(times) for name, times in seconds.items()}
