"""Our collator against transformers' ``DataCollatorForLanguageModeling``: 32 rows of 512 ids."""

from __future__ import annotations

import random
from itertools import cycle
from typing import Any

from benchmarks.timing import medians

ROWS, LENGTH, WORDS = 32, 512, 30_000


def tokenizer() -> Any:
    """A WordPiece tokenizer of BERT's size; its words are numbers."""
    from transformers import BertTokenizer

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = [f"w{i}" if i % 3 else f"##{i}" for i in range(WORDS)]
    return BertTokenizer(vocab={word: i for i, word in enumerate(special + words)})


def features(seed: int) -> list[dict[str, list[int]]]:
    """Dictionaries of Python lists, as ``datasets`` hands them out."""
    draw = random.Random(seed)
    rows = [[2, *(draw.randrange(5, WORDS) for _ in range(LENGTH - 2)), 3] for _ in range(ROWS)]
    return [{"input_ids": row, "attention_mask": [1] * LENGTH} for row in rows]


def measure(repeats: int) -> dict[str, float]:
    """Tokens a second on both sides, and the ratio."""
    import torch
    from transformers import DataCollatorForLanguageModeling

    from maskplug_hf import DataCollatorForMasking

    torch.set_num_threads(1)
    reader, batches = tokenizer(), [features(seed) for seed in range(10)]
    ours = DataCollatorForMasking(reader, "dynamic", rate=0.15, seed=1)
    ours.set_epoch(0)
    theirs = DataCollatorForLanguageModeling(reader, mlm_probability=0.15)
    mine, others = cycle(batches), cycle(batches)
    seconds = medians(
        {"maskplug": lambda: ours(next(mine)), "transformers": lambda: theirs(next(others))},
        repeats,
    )
    speed = {name: ROWS * LENGTH / s for name, s in seconds.items()}
    return {**speed, "ratio": speed["maskplug"] / speed["transformers"]}
