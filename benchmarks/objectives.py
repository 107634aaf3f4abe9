"""The core alone, every built-in strategy: 32 rows of 512 ids, from arrays to arrays."""

from __future__ import annotations

import inspect
from itertools import count

import numpy as np

import maskplug
from benchmarks.timing import medians
from maskplug.plugins import registry
from maskplug.registry import BUILTIN

ROWS, LENGTH, WORDS = 32, 512, 30_000
NAMED = ["[R]", "[S]", "[X]", "<fim_prefix>", "<fim_middle>", "<fim_suffix>", "<mask_1>"]


def vocabulary() -> maskplug.Vocabulary:
    """Everything that a strategy may ask for; every tenth piece or so ends a sentence."""
    special = ["<pad>", "<s>", "</s>", "<mask>", *NAMED, *(f"<extra_id_{i}>" for i in range(100))]
    pieces = [*special, *("▁." if i % 10 == 0 else f"▁w{i}" for i in range(WORDS - len(special)))]
    return maskplug.Vocabulary.from_pieces(
        pieces,
        pad_id=0,
        bos_id=1,
        eos_id=2,
        mask_id=3,
        special_ids=range(4, 4 + len(NAMED)),
        sentinel_ids=range(4 + len(NAMED), len(special)),
    )


def batch(vocab: maskplug.Vocabulary) -> maskplug.TokenBatch:
    """Random ordinary ids between ``<s>`` and ``</s>``."""
    ids = np.random.default_rng(1).choice(vocab.ordinary, (ROWS, LENGTH))
    ids[:, 0], ids[:, -1] = 1, 2
    return maskplug.TokenBatch.from_flat(
        ids.ravel(), np.arange(ROWS + 1) * LENGTH, np.arange(ROWS, dtype=np.uint64)
    )


def runnable() -> dict[str, maskplug.Strategy]:
    """The built-in strategies that need neither options, files, layers nor a text codec."""
    found = {}
    for entry in registry().of_kind("strategy"):
        parameters = inspect.signature(entry.factory).parameters.values()
        if entry.provider == BUILTIN and all(p.default is not p.empty for p in parameters):
            made = maskplug.strategy(entry.label)
            if not made.reads:
                found[entry.name] = made
    return found


def measure(repeats: int) -> dict[str, float]:
    """Tokens a second of each strategy, and of copying the ids as int64."""
    vocab = vocabulary()
    tokens = batch(vocab)
    epochs = count()
    sides = {
        name: lambda made=made: made(tokens, vocab, seed=1, epoch=next(epochs))
        for name, made in runnable().items()
    }
    seconds = medians({"copy": tokens.ids.copy, **sides}, repeats)
    return {name: ROWS * LENGTH / s for name, s in seconds.items()}
