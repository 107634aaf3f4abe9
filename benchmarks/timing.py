"""How a comparison is timed: both sides in turn, one thread, the median of many rounds."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable


def medians(
    sides: dict[str, Callable[[], object]], repeats: int, calls: int = 10
) -> dict[str, float]:
    """Seconds a call of each side: the median over ``repeats`` rounds, after one to warm up.

    The sides take turns, so that a busy moment of the machine falls on all of them; in a round each
    is called ``calls`` times in a row, as a data-loading worker calls it.
    """
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(repeats + 1):
        for name, call in sides.items():
            begun = time.perf_counter()
            for _ in range(calls):
                call()
            seconds[name].append((time.perf_counter() - begun) / calls)
    return {name: statistics.median(times[1:]) for name, times in seconds.items()}
