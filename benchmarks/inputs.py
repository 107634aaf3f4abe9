"""What the core alone is measured on: random ids of a vocabulary in which everything is named."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

import maskplug

WORDS = 30_000
NAMED = ["[R]", "[S]", "[X]", "<fim_prefix>", "<fim_middle>", "<fim_suffix>", "<mask_1>"]


@cache
def vocabulary(sentinels: int = 100) -> maskplug.Vocabulary:
    """Everything that a strategy may ask for; every tenth piece or so ends a sentence."""
    extra = [f"<extra_id_{i}>" for i in range(sentinels)]
    special = ["<pad>", "<s>", "</s>", "<mask>", *NAMED, *extra]
    pieces = [*special, *("▁." if i % 10 == 0 else f"▁w{i}" for i in range(WORDS))]
    return maskplug.Vocabulary.from_pieces(
        pieces,
        pad_id=0,
        bos_id=1,
        eos_id=2,
        mask_id=3,
        special_ids=range(4, 4 + len(NAMED)),
        sentinel_ids=range(4 + len(NAMED), len(special)),
    )


def batch(rows: int, length: int, vocab: maskplug.Vocabulary) -> maskplug.TokenBatch:
    """Rows of random ordinary ids between ``<s>`` and ``</s>``."""
    ids = np.random.default_rng(1).choice(vocab.ordinary, (rows, length))
    ids[:, 0], ids[:, -1] = 1, 2
    return maskplug.TokenBatch.from_flat(
        ids.ravel(), np.arange(rows + 1) * length, np.arange(rows, dtype=np.uint64)
    )


def unseen(tokens: maskplug.TokenBatch) -> maskplug.TokenBatch:
    """The same samples as a batch that remembers nothing of earlier calls; no id is copied."""
    return replace(tokens)
