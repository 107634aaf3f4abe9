"""The core alone, every built-in strategy: 32 rows of 512 ids, from arrays to arrays."""

from __future__ import annotations

import inspect
import statistics
from functools import partial
from itertools import count

import maskplug
from benchmarks.inputs import batch, unseen, vocabulary
from benchmarks.timing import Call, Prepare, timed
from maskplug.plugins import registry
from maskplug.registry import BUILTIN

ROWS, LENGTH, ROUNDS = 32, 512, 30


def runnable() -> dict[str, maskplug.Strategy]:
    """The built-in strategies that need neither options, files, layers nor a text codec."""
    found = {}
    for entry in registry().of_kind("strategy"):
        parameters = inspect.signature(entry.factory).parameters.values()
        if entry.provider == BUILTIN and all(p.default is not p.empty for p in parameters):
            made = maskplug.strategy(entry.label)
            if not made.required_annotations:
                found[entry.name] = made
    return found


def masking(
    made: maskplug.Strategy, tokens: maskplug.TokenBatch, vocab: maskplug.Vocabulary
) -> Prepare:
    """Calls of a strategy on these samples, each in an epoch of its own."""
    epochs = count()

    def prepare() -> Call:
        return partial(made, unseen(tokens), vocab, seed=1, epoch=next(epochs))

    return prepare


def measure(small: bool) -> dict[str, dict[str, float]]:
    """Tokens a second of each strategy."""
    vocab = vocabulary()
    tokens = batch(4, 32, vocab) if small else batch(ROWS, LENGTH, vocab)
    sides = {name: masking(made, tokens, vocab) for name, made in runnable().items()}
    taken = timed(sides, 1 if small else ROUNDS, 0.0 if small else 0.005)
    total = len(tokens.ids)
    return {name: {"tokens/s": total / statistics.median(s)} for name, s in taken.items()}
