"""A WordPiece tokenizer of BERT's size, and rows of its ids, for runs with transformers."""

from __future__ import annotations

from typing import Any

import numpy as np

WORDS = 30_000
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
CLS, SEP = 2, 3


def tokenizer(words: int = WORDS) -> Any:
    """Its words are numbers; every third one begins no word."""
    from transformers import BertTokenizer

    made = [f"##{i}" if i % 3 == 0 else f"w{i}" for i in range(words)]
    return BertTokenizer(vocab={word: i for i, word in enumerate([*SPECIAL, *made])})


def rows(count: int, length: int, words: int = WORDS) -> list[dict[str, list[int]]]:
    """Random rows, [CLS] … [SEP], as dictionaries of Python lists."""
    ids = np.random.default_rng(1).integers(len(SPECIAL), words, (count, length))
    ids[:, 0], ids[:, -1] = CLS, SEP
    return [{"input_ids": row, "attention_mask": [1] * length} for row in ids.tolist()]
