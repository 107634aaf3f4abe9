"""How several calls are timed beside each other: in turn, on input of their own, many rounds."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

Call = Callable[[], object]
#: Makes a call that meets input that is new to it; the making is not timed.
Prepare = Callable[[], Call]


def _seconds(calls: list[Call]) -> float:
    begun = time.thread_time()
    for call in calls:
        call()
    return (time.thread_time() - begun) / len(calls)


def timed(
    sides: Mapping[str, Prepare], rounds: int, least: float = 0.005
) -> dict[str, list[float]]:
    """Seconds a call of each side, one figure a round.

    Seconds are those of the processor in this thread, to which other programs add nothing. The
    sides take turns, so that a slow moment of the machine falls on all of them. In a round each is
    called as often in a row as ``least`` seconds take, as a data-loading worker calls it.
    """
    counts = {}
    for name, prepare in sides.items():
        prepare()()  # compiles, and fills caches
        counts[name] = max(1, round(least / max(_seconds([prepare()]), 1e-9)))
    taken: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, prepare in sides.items():
            taken[name].append(_seconds([prepare() for _ in range(counts[name])]))
    return taken
