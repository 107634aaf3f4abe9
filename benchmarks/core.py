"""Measure the core alone: every strategy, the stages of ``dynamic``, and copies for comparison."""

from __future__ import annotations

import inspect
from functools import partial
from itertools import count
from typing import Any

import numpy as np

import maskplug
from benchmarks.inputs import batch, unseen, vocabulary
from benchmarks.timing import Call, Prepare, Row, medians
from maskplug.context import MaskingContext
from maskplug.plugins import registry
from maskplug.registry import BUILTIN
from maskplug.strategies.composed import Composed
from maskplug.tokens import Masked

ROWS, LENGTH, SHORT = 32, 512, 2
#: The arrays fit into the cache of a core, into the shared cache, and into neither of them.
SIZES = ((32, 512), (1024, 512), (8192, 512))
#: The share of the speed of a copy that each strategy should reach.
GOALS = {"dynamic": None, "span": 0.03, "t5": 0.03, "bart": 0.03}
PARTLY = "dynamic, selection and replacement"


def masking(strategy: maskplug.Strategy, tokens: maskplug.TokenBatch) -> Prepare:
    """Prepare calls of a strategy on these samples, each in a new epoch."""
    epochs, vocab = count(), vocabulary()
    return lambda: partial(strategy, unseen(tokens), vocab, seed=1, epoch=next(epochs))


def runnable() -> dict[str, maskplug.Strategy]:
    """Return the built-in strategies that need no options, files or annotations."""
    strategies = {}
    for entry in registry().of_kind("strategy"):
        parameters = inspect.signature(entry.factory).parameters.values()
        if entry.provider == BUILTIN and all(p.default is not p.empty for p in parameters):
            strategy = maskplug.strategy(entry.label)
            if not strategy.required_annotations:
                strategies[entry.name] = strategy
    return strategies


def objectives(small: bool) -> list[Row]:
    """Return the tokens per second of each strategy, from arrays to arrays."""
    rows, length, rounds, least = (4, 32, 1, 0.0) if small else (ROWS, LENGTH, 30, 0.005)
    tokens = batch(rows, length)
    sides = {name: masking(strategy, tokens) for name, strategy in runnable().items()}
    return [
        {"what": name, "tokens/s": rows * length / seconds}
        for name, seconds in medians(sides, rounds, least).items()
    ]


def memory_speed(small: bool) -> list[Row]:
    """Return the speed of strategies as a share of the speed of copying the ids as int64.

    One copy is into an existing array; ``ids.copy()`` first allocates memory, as a strategy does.
    """
    # A turn of 0.05 s is enough for several copies of the largest array.
    sizes, rounds, least = (((2, 16), (4, 32)), 1, 0.0) if small else (SIZES, 15, 0.05)
    return [row for size in sizes for row in _shares(*size, rounds, least)]


def _shares(rows: int, length: int, rounds: int, least: float) -> list[Row]:
    tokens = batch(rows, length)
    ready = np.empty_like(tokens.ids)
    sides: dict[str, Prepare] = {
        "copy into a ready array": lambda: partial(np.copyto, ready, tokens.ids),
        "copy": lambda: tokens.ids.copy,
        PARTLY: _selection_and_replacement(tokens),
    }
    sides |= {name: masking(maskplug.strategy(name), tokens) for name in GOALS}
    seconds = medians(sides, rounds, least)
    goals = {PARTLY: 0.10, **GOALS}
    return [
        {
            "what": f"{rows} × {length}, {name}",
            "tokens/s": rows * length / s,
            "share of a copy into a ready array": seconds["copy into a ready array"] / s,
            "share of a copy": seconds["copy"] / s,
            "goal, share": goals.get(name),
        }
        for name, s in seconds.items()
    ]


def _dynamic() -> Composed:
    strategy = maskplug.strategy("dynamic")
    assert isinstance(strategy, Composed)
    return strategy


def _selection_and_replacement(tokens: maskplug.TokenBatch) -> Prepare:
    """Prepare calls of ``dynamic`` without its labels."""
    strategy, epochs, vocab = _dynamic(), count(), vocabulary()

    def call(fresh: maskplug.TokenBatch, epoch: int) -> object:
        rng = MaskingContext.at(1, epoch, 0, fresh.keys).rng(strategy.clock)
        selection = strategy.selector.select(fresh, vocab, rng)
        return strategy.replacement.replace(fresh, selection, vocab, rng)

    return lambda: partial(call, unseen(tokens), next(epochs))


def stages(small: bool) -> list[Row]:
    """Return the time of each stage of ``dynamic``; short rows show the time of the call itself."""
    rows, length, rounds = (2, 16, 1) if small else (ROWS, LENGTH, 40)
    whole, short = (medians(_stages(batch(rows, n)), rounds) for n in (length, SHORT))
    return [
        {
            "what": name,
            f"{rows} × {length}, µs": seconds * 1e6,
            "ns a token": seconds * 1e9 / (rows * length),
            f"{rows} × {SHORT}, µs": short[name] * 1e6,
        }
        for name, seconds in whole.items()
    ]


def _stages(tokens: maskplug.TokenBatch) -> dict[str, Prepare]:
    strategy, vocab = _dynamic(), vocabulary()
    context = MaskingContext.at(1, 0, 0, tokens.keys)
    selection = strategy.selector.select(tokens, vocab, context.rng(strategy.clock))
    inputs = strategy.replacement.replace(tokens, selection, vocab, context.rng(strategy.clock))
    ready = np.empty_like(tokens.ids)

    def drawing(stage: Any, *arguments: Any) -> Prepare:
        return lambda: partial(stage, *arguments, vocab, context.rng(strategy.clock))

    def rng() -> Call:
        return lambda: MaskingContext.at(1, 0, 0, tokens.keys).rng(strategy.clock)

    return {
        "a copy of the ids, for comparison": lambda: partial(np.copyto, ready, tokens.ids),
        "time, seed and keys": rng,
        "selector": drawing(strategy.selector.select, tokens),
        "check of the selection": lambda: partial(selection.check, tokens),
        "replacement": drawing(strategy.replacement.replace, tokens, selection),
        "target": drawing(strategy.target.build, tokens, Masked(inputs, selection)),
        "all, with observers": lambda: partial(strategy, unseen(tokens), vocab, seed=1),
    }
