"""How near to memory speed: what a copy of the ids as int64 takes, as a share of a strategy's time.

Two copies are timed: into an array that is there already, and ``ids.copy()``, which has to get its
memory first, as a strategy has to. At 32 × 512 both arrays lie in a core's own cache, at 1024 × 512
in the one that cores share, at 8192 × 512 beyond it.
"""

from __future__ import annotations

import statistics
from functools import partial
from itertools import count
from typing import Any

import numpy as np

import maskplug
from benchmarks.inputs import batch, unseen, vocabulary
from benchmarks.objectives import masking
from benchmarks.timing import Call, Prepare, timed
from maskplug.context import MaskingContext
from maskplug.strategies.composed import Composed

SIZES, ROUNDS = ((32, 512), (1024, 512), (8192, 512)), 15
#: Seconds of a side's turn: enough for several copies of the larger array.
TURN = 0.05
#: The strategies that are timed whole, and the share of a copy's speed that we mean to reach.
WHOLE = {"dynamic": None, "span": 0.03, "t5": 0.03, "bart": 0.03}
PARTLY = 0.10


def chosen_and_replaced(tokens: maskplug.TokenBatch, vocab: maskplug.Vocabulary) -> Prepare:
    """Selection and replacement of ``dynamic``: what :meth:`Composed.mask` does but for labels."""
    made, epochs = maskplug.strategy("dynamic"), count()
    assert isinstance(made, Composed)

    def call(fresh: maskplug.TokenBatch, epoch: int) -> object:
        rng = MaskingContext.at(1, epoch, 0, fresh.keys).rng(made.clock)
        selection = made.selector.select(fresh, vocab, rng)
        return made.replacement.replace(fresh, selection, vocab, rng)

    def prepare() -> Call:
        return partial(call, unseen(tokens), next(epochs))

    return prepare


def shares(rows: int, length: int, rounds: int, turn: float) -> dict[str, dict[str, Any]]:
    """Tokens a second, and the share of both copies' speed."""
    vocab = vocabulary()
    tokens = batch(rows, length, vocab)
    ready = np.empty_like(tokens.ids)
    sides: dict[str, Prepare] = {
        "copy into a ready array": lambda: partial(np.copyto, ready, tokens.ids),
        "copy": lambda: tokens.ids.copy,
        "dynamic, selection and replacement": chosen_and_replaced(tokens, vocab),
    }
    sides |= {name: masking(maskplug.strategy(name), tokens, vocab) for name in WHOLE}
    seconds = {name: statistics.median(s) for name, s in timed(sides, rounds, turn).items()}
    goals = {"dynamic, selection and replacement": PARTLY, **WHOLE}
    return {
        name: {
            "tokens/s": rows * length / s,
            "share of a copy into a ready array": seconds["copy into a ready array"] / s,
            "share of a copy": seconds["copy"] / s,
            "goal, share": goals.get(name),
        }
        for name, s in seconds.items()
    }


def measure(small: bool) -> dict[str, Any]:
    """The shares at every size."""
    sizes, rounds, turn = (((2, 16), (4, 32)), 1, 0.0) if small else (SIZES, ROUNDS, TURN)
    return {f"{rows} × {length}": shares(rows, length, rounds, turn) for rows, length in sizes}
