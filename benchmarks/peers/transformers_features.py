"""What transformers' collators and ours are given: a tokenizer, and batches of features."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np

WORDS = 30_000
DATA = Path(__file__).parents[2] / "recipes" / "translation" / "data"
SAMPLE = DATA / "translation.en-de.train.tsv.gz"

Feature = dict[str, Any]
Batch = list[Feature]


def tokenizer(**options: Any) -> Any:
    """A WordPiece tokenizer of BERT's size: numbers as words, and all letters to spell text."""
    from transformers import BertTokenizer

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters = [chr(code) for code in range(33, 127)]
    pieces = [*special, *letters, *(f"##{letter}" for letter in letters)]
    words = [f"w{i}" if i % 3 else f"##w{i}" for i in range(WORDS - len(pieces))]
    return BertTokenizer(vocab={w: i for i, w in enumerate(pieces + words)}, **options)


def random_batches(reader: Any, rows: int, length: int, batches: int) -> list[Batch]:
    """Random ids between [CLS] and [SEP], as lists: what ``datasets`` hands out."""
    draw = np.random.default_rng(1)
    ids = draw.integers(5, len(reader), (batches, rows, length))
    ids[:, :, 0], ids[:, :, -1] = reader.cls_token_id, reader.sep_token_id
    ones = [1] * length
    return [[{"input_ids": row, "attention_mask": ones[:]} for row in b] for b in ids.tolist()]


def text_batches(reader: Any, rows: int, batches: int) -> list[Batch]:
    """The sample that ships with a recipe, a line a row, with all that the tokenizer tells."""
    return [
        tokenized(reader, lines)
        for lines in np.array(sample()[: rows * batches]).reshape(batches, rows).tolist()
    ]


def long_batches(reader: Any, rows: int, length: int, batches: int) -> list[Batch]:
    """The same text as rows of one length: each begins at another line, and is cut."""
    lines = sample()
    begun = np.arange(batches * rows).reshape(batches, rows) * 7 % (len(lines) - length)
    return [
        tokenized(reader, [" ".join(lines[i : i + length]) for i in b], max_length=length)
        for b in begun.tolist()
    ]


def sample() -> list[str]:
    """The English lines of the shipped sample."""
    with gzip.open(SAMPLE, "rt", encoding="utf-8") as file:
        return [line.split("\t")[0] for line in file]


def tokenized(reader: Any, texts: list[str], max_length: int = 512) -> Batch:
    """Features as transformers' documentation recommends them for its collator."""
    told = reader(
        texts,
        truncation=True,
        max_length=max_length,
        return_special_tokens_mask=True,
        return_offsets_mapping=True,
        return_token_type_ids=False,
    )
    return [{name: told[name][i] for name in told} for i in range(len(texts))]


def only(batches: list[Batch], *names: str) -> list[Batch]:
    """Some columns of the features."""
    return [[{name: feature[name] for name in names} for feature in batch] for batch in batches]


def converted(batches: list[Batch], convert: Callable[[Any], Any]) -> list[Batch]:
    """Every row of every column as something else than a list."""
    return [[{n: convert(row) for n, row in f.items()} for f in batch] for batch in batches]


def marked(batches: list[Batch]) -> list[Batch]:
    """With the column ``special_tokens_mask``, for rows of random ids."""
    return [
        [
            {**feature, "special_tokens_mask": [1, *[0] * (len(feature["input_ids"]) - 2), 1]}
            for feature in batch
        ]
        for batch in batches
    ]


def tokens_in(batches: list[Batch]) -> int:
    """Tokens a batch, on average."""
    return sum(len(feature["input_ids"]) for batch in batches for feature in batch) // len(batches)


def in_turn(collator: Callable[[Any], object], batches: list[Any]) -> Callable[[], object]:
    """A call that collates the next of the batches."""
    following = cycle(batches)
    return lambda: collator(next(following))
