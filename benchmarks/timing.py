"""Time calls in turn, and compare maskplug with another library."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.peak import peak

Call = Callable[[], object]
#: Returns a call on new input; the preparation is not timed.
Prepare = Callable[[], Call]


@dataclass(frozen=True)
class Comparison:
    """The same work by maskplug and by another library.

    Args:
        what: the work and its input, such as "masked LM, 32 × 512, lists".
        peer: the public name of the other library.
        tokens: the number of tokens that one call processes, equal on both sides.
        ours, theirs: do the work once; every call should process new input.
        goal: the ratio to reach; None without a goal.
    """

    what: str
    peer: str
    tokens: int
    ours: Call
    theirs: Call
    goal: float | None = None


def timed(
    sides: Mapping[str, Prepare],
    rounds: int,
    least: float = 0.005,
    clock: Callable[[], float] = time.thread_time,
) -> dict[str, list[float]]:
    """Return the seconds per call of each side, one value per round.

    The sides take turns, so that a slow moment of the machine affects all of them. In each round a
    side is called repeatedly for about ``least`` seconds, as by a data-loading worker. The default
    clock counts the processor time of this thread, which excludes other programs.
    """

    def seconds(calls: list[Call]) -> float:
        begin = clock()
        for call in calls:
            call()
        return (clock() - begin) / len(calls)

    counts = {}
    for name, prepare in sides.items():
        prepare()()  # compiles kernels and fills caches
        counts[name] = max(1, round(least / max(seconds([prepare()]), 1e-9))) if least else 1
    values: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, prepare in sides.items():
            values[name].append(seconds([prepare() for _ in range(counts[name])]))
    return values


def medians(sides: Mapping[str, Prepare], rounds: int, least: float = 0.005) -> dict[str, float]:
    """Return the median seconds per call of each side."""
    return {name: statistics.median(s) for name, s in timed(sides, rounds, least).items()}


def compare(comparison: Comparison, rounds: int, memory: bool) -> dict[str, Any]:
    """Return the speed of both sides, the median ratio of the rounds and the peak memory.

    Half of the rounds' ratios lie between the two values of "middle half of ratios".
    """
    sides = {"ours": lambda: comparison.ours, "theirs": lambda: comparison.theirs}
    seconds = timed(sides, rounds, 0.1, time.perf_counter)
    ratios = [t / o for o, t in zip(seconds["ours"], seconds["theirs"], strict=True)]
    low, ratio, high = (
        statistics.quantiles(ratios, method="inclusive") if rounds > 1 else ratios * 3
    )
    goal = comparison.goal
    return {
        "peer": comparison.peer,
        "work": comparison.what,
        "maskplug, tokens/s": comparison.tokens / statistics.median(seconds["ours"]),
        "peer, tokens/s": comparison.tokens / statistics.median(seconds["theirs"]),
        "ratio": ratio,
        "middle half of ratios": [low, high],
        "goal": goal,
        "reached": None if goal is None else "yes" if ratio >= goal else "no",
        "maskplug, MiB": peak(comparison.ours) if memory else None,
        "peer, MiB": peak(comparison.theirs) if memory else None,
    }
