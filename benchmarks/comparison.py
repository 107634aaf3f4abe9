"""A peer and our counterpart, on the same input and the same work: how both are timed."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Call = Callable[[], object]


@dataclass(frozen=True)
class Comparison:
    """Two sides that do the same.

    Args:
        what: the work and its input, as a person would say it ("masked LM, 32 × 512, lists").
        peer: whose code it is compared with, by its public name.
        tokens: how many tokens one call takes in, on both sides alike.
        ours, theirs: do the work once; every call should meet input that is new to it.
        goal: the ratio that we mean to reach at least; None where there is none.
    """

    what: str
    peer: str
    tokens: int
    ours: Call
    theirs: Call
    goal: float | None = None


def seconds(call: Call, calls: int) -> float:
    """Seconds a call, over ``calls`` of them in a row, as a data-loading worker calls it."""
    begun = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - begun) / calls


def calls_for(call: Call, least: float = 0.1) -> int:
    """How many calls a round needs to last ``least`` seconds; warms the side up."""
    call()
    return max(1, round(least / max(seconds(call, 1), 1e-9)))


def compare(comparison: Comparison, rounds: int) -> dict[str, Any]:
    """Tokens a second on both sides, and the ratio: medians over rounds.

    The sides take turns, so that a busy moment of the machine falls on both. The ratio is the
    median of the rounds' ratios; half of these ratios lie between the two that are given beside it.
    """
    sides = (comparison.ours, comparison.theirs)
    calls = [calls_for(side) for side in sides]
    taken = [[seconds(s, n) for s, n in zip(sides, calls, strict=True)] for _ in range(rounds)]
    ours, theirs = zip(*taken, strict=True)
    ratios = [t / o for o, t in taken]
    low, middle, high = (
        statistics.quantiles(ratios, method="inclusive") if rounds > 1 else ratios * 3
    )
    return {
        "what": comparison.what,
        "peer": comparison.peer,
        "maskplug, tokens/s": comparison.tokens / statistics.median(ours),
        "peer, tokens/s": comparison.tokens / statistics.median(theirs),
        "ratio": middle,
        "middle half of ratios": [low, high],
        "goal": comparison.goal,
    }
