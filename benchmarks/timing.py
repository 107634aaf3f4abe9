"""Time calls in turn, compare maskplug with another library, and measure peak memory."""

from __future__ import annotations

import ctypes
import gc
import os
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Row = dict[str, Any]
Call = Callable[[], object]
#: Returns a call on new input; the preparation is not timed.
Prepare = Callable[[], Call]

RESET = Path("/proc/self/clear_refs")
#: Of glibc's mallopt: arrays of at least this many bytes get their own pages, which are returned to
#: the system when they are freed, so that no call reuses the memory of another one.
M_MMAP_THRESHOLD, BYTES = -3, 65536


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
        prepare()()  # compiles kernels, fills caches and starts workers
        counts[name] = max(1, round(least / max(seconds([prepare()]), 1e-9))) if least else 1
    values: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, prepare in sides.items():
            values[name].append(seconds([prepare() for _ in range(counts[name])]))
    return values


def medians(
    sides: Mapping[str, Prepare],
    rounds: int,
    least: float = 0.005,
    clock: Callable[[], float] = time.thread_time,
) -> dict[str, float]:
    """Return the median seconds per call of each side."""
    seconds = timed(sides, rounds, least, clock)
    return {name: statistics.median(values) for name, values in seconds.items()}


def ratios(sides: Mapping[str, Prepare], tokens: int, rounds: int, least: float) -> Row:
    """Return the speed of each side, and the ratio of "maskplug" to "peer": the rounds' median.

    Half of the rounds' ratios lie between the two values of "middle half of ratios".
    """
    seconds = timed(sides, rounds, least, time.perf_counter)
    by_round = [t / o for o, t in zip(seconds["maskplug"], seconds["peer"], strict=True)]
    low, ratio, high = (
        statistics.quantiles(by_round, method="inclusive") if rounds > 1 else by_round * 3
    )
    speed = {f"{name}, tokens/s": tokens / statistics.median(s) for name, s in seconds.items()}
    return {**speed, "ratio": ratio, "middle half of ratios": [low, high]}


def compare(comparison: Comparison, rounds: int, small: bool) -> Row:
    """Return the speed of both sides, their ratio and, unless ``small``, their peak memory."""
    sides = {"maskplug": comparison.ours, "peer": comparison.theirs}
    prepared = {"maskplug": lambda: comparison.ours, "peer": lambda: comparison.theirs}
    row = ratios(prepared, comparison.tokens, rounds, 0.0 if small else 0.1)
    goal = comparison.goal
    return {
        "peer": comparison.peer,
        "work": comparison.what,
        **row,
        "goal": goal,
        "reached": None if goal is None else "yes" if row["ratio"] >= goal else "no",
        **{f"{name}, MiB": None if small else peak(call) for name, call in sides.items()},
    }


def peak(call: Call) -> float | None:
    """Return the MiB that a call needs at its peak beyond the memory in use; None outside Linux.

    The call runs in a child process, whose account in the kernel counts the memory of every
    allocator.

    Raises:
        RuntimeError: if the call fails in the child process.
    """
    if not RESET.exists():
        return None
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(write, str(_measured(call)).encode())
            os._exit(0)
        finally:
            os._exit(1)
    os.close(write)
    with os.fdopen(read) as pipe:
        text = pipe.read()
    if os.waitpid(child, 0)[1] or not text:
        raise RuntimeError("the call failed in the process that measures its peak memory")
    return float(text)


def _measured(call: Call) -> float:
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):  # not in musl, which returns memory by itself
        libc.mallopt(M_MMAP_THRESHOLD, BYTES)
    gc.freeze()  # only garbage of the call is collected
    call()  # a child maps pages of libraries again when they are first used
    gc.collect()
    if hasattr(libc, "malloc_trim"):
        libc.malloc_trim(0)
    RESET.write_text("5")  # resets the peak
    before = _status("VmRSS")
    call()
    return (_status("VmHWM") - before) / 1024


def _status(name: str) -> int:
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(name))
