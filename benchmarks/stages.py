"""What costs what in ``dynamic``: its stages one by one, and what a call costs whatever its size.

The last column is the same on rows of two tokens: what Python takes to get to the kernels and back.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

import maskplug
from benchmarks.inputs import batch, unseen, vocabulary
from benchmarks.timing import Prepare, timed
from maskplug.context import MaskingContext
from maskplug.strategies.composed import Composed
from maskplug.tokens import Masked

ROWS, LENGTH, ROUNDS = 32, 512, 40
SHORT = 2


def stages(
    tokens: maskplug.TokenBatch, vocab: maskplug.Vocabulary
) -> Iterator[tuple[str, Prepare]]:
    """The stages of a call in their order; draws are made anew in each."""
    made = maskplug.strategy("dynamic")
    assert isinstance(made, Composed)
    context = MaskingContext.at(1, 0, 0, tokens.keys)
    selection = made.selector.select(tokens, vocab, context.rng(made.clock))
    inputs = made.replacement.replace(tokens, selection, vocab, context.rng(made.clock))
    ready = np.empty_like(tokens.ids)

    def drawing(stage: Any, *before: Any) -> Prepare:
        return lambda: partial(stage, *before, vocab, context.rng(made.clock))

    yield "a copy of the ids, for comparison", lambda: partial(np.copyto, ready, tokens.ids)
    yield (
        "time, seed and keys",
        lambda: lambda: MaskingContext.at(1, 0, 0, tokens.keys).rng(made.clock),
    )
    yield "selector", drawing(made.selector.select, tokens)
    yield "check of the selection", lambda: partial(selection.check, tokens)
    yield "replacement", drawing(made.replacement.replace, tokens, selection)
    yield "target", drawing(made.target.build, tokens, Masked(inputs, selection))
    yield "all, with observers", lambda: partial(made, unseen(tokens), vocab, seed=1)


def seconds(rows: int, length: int, rounds: int) -> dict[str, float]:
    """Seconds of each stage: medians."""
    vocab = vocabulary()
    sides = dict(stages(batch(rows, length, vocab), vocab))
    return {name: statistics.median(taken) for name, taken in timed(sides, rounds).items()}


def measure(small: bool) -> dict[str, Any]:
    """Microseconds and nanoseconds a token of each stage."""
    rows, length, rounds = (2, 16, 1) if small else (ROWS, LENGTH, ROUNDS)
    whole, bare = seconds(rows, length, rounds), seconds(rows, SHORT, rounds)
    return {
        name: {
            f"{rows} × {length}, µs": taken * 1e6,
            "ns a token": taken * 1e9 / (rows * length),
            f"{rows} × {SHORT}, µs": bare[name] * 1e6,
        }
        for name, taken in whole.items()
    }
