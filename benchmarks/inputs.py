"""Inputs of the benchmarks: random ids, tokenizers, and the text that comes with a recipe."""

from __future__ import annotations

import gzip
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import maskplug
from maskplug.cli.tokenizers import NAMED

WORDS = 30_000
#: T5 numbers its spans, and the long rows of the growth benchmark have many.
SENTINELS = 50_000
DATA = Path(__file__).parents[1] / "recipes" / "translation" / "data"
SAMPLE = DATA / "translation.en-de.train.tsv.gz"


@cache
def vocabulary(sentinels: int = 100) -> maskplug.Vocabulary:
    """Return a vocabulary for all strategies; every tenth piece ends a sentence."""
    special = ["<pad>", "<s>", "</s>", "<mask>", *NAMED]
    extra = [f"<extra_id_{i}>" for i in range(sentinels)]
    pieces = [*special, *extra, *("▁." if i % 10 == 0 else f"▁w{i}" for i in range(WORDS))]
    return maskplug.Vocabulary.from_pieces(
        pieces,
        pad_id=0,
        bos_id=1,
        eos_id=2,
        mask_id=3,
        special_ids=range(4, len(special)),
        sentinel_ids=range(len(special), len(special) + sentinels),
    )


def batch(rows: int, length: int, sentinels: int = 100) -> maskplug.TokenBatch:
    """Return rows of random ordinary ids between ``<s>`` and ``</s>``."""
    ids = np.random.default_rng(1).choice(vocabulary(sentinels).ordinary, (rows, length))
    ids[:, 0], ids[:, -1] = 1, 2
    return maskplug.TokenBatch.from_flat(
        ids.ravel(), np.arange(rows + 1) * length, np.arange(rows, dtype=np.uint64)
    )


def unseen(tokens: maskplug.TokenBatch) -> maskplug.TokenBatch:
    """Return the same samples without cached properties; no id is copied."""
    return replace(tokens)


def tokenizer(size: int = WORDS) -> Any:
    """Return a WordPiece tokenizer with letters to spell text and numbers as words."""
    from transformers import BertTokenizer

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters = [chr(code) for code in range(33, 127)]
    pieces = [*special, *letters, *(f"##{letter}" for letter in letters)]
    words = [f"w{i}" if i % 3 else f"##w{i}" for i in range(size - len(pieces))]
    return BertTokenizer(vocab={word: i for i, word in enumerate(pieces + words)})


def random_rows(count: int, length: int, size: int = WORDS) -> list[dict[str, list[int]]]:
    """Return features of random ids between [CLS] and [SEP], as lists."""
    ids = np.random.default_rng(1).integers(5, size, (count, length))
    ids[:, 0], ids[:, -1] = 2, 3
    return [{"input_ids": row, "attention_mask": [1] * length} for row in ids.tolist()]


def sample_text() -> list[str]:
    """Return the English lines of the sample that comes with a recipe."""
    with gzip.open(SAMPLE, "rt", encoding="utf-8") as file:
        return [line.split("\t")[0] for line in file]


def fairseq_dictionary(size: int = WORDS, *first: str) -> Any:
    """Return a dictionary of SentencePiece symbols, two thirds of which begin a word."""
    from fairseq.data import Dictionary

    dictionary = Dictionary()
    for symbol in (*first, *(f"▁w{i}" if i % 3 else f"w{i}" for i in range(size))):
        dictionary.add_symbol(symbol)
    return dictionary


def fairseq_lines(rows: Any) -> Any:
    """Return a fairseq dataset of rows of ids."""
    import torch
    from fairseq.data import ListDataset

    return ListDataset([torch.tensor(row) for row in rows], [len(row) for row in rows])


def masked_pairs(lines: Any, words: int, strategy: str) -> Any:
    """Return the dataset of the task ``maskplug_translation``, with equal sources and targets."""
    from fairseq.data import LanguagePairDataset

    from maskplug_fairseq import MaskedPairDataset, vocabulary

    dictionary = fairseq_dictionary(words, "<mask>")
    pairs = LanguagePairDataset(*[lines, lines.sizes, dictionary] * 2)
    source = vocabulary(dictionary)
    return MaskedPairDataset(pairs, maskplug.strategy(strategy), seed=1, source=source)


def write_fairseq(folder: Path, dictionary: Any, lines: Any) -> None:
    """Write a dictionary and a training set of id arrays as ``fairseq-preprocess`` does."""
    import torch
    from fairseq.data.indexed_dataset import make_builder

    dictionary.save(str(folder / "dict.txt"))
    builder = make_builder(str(folder / "train.bin"), impl="mmap", vocab_size=len(dictionary))
    for line in lines:
        builder.add_item(torch.from_numpy(np.append(line, dictionary.eos())))
    builder.finalize(str(folder / "train.idx"))
