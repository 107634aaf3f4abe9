"""Binarized text for fairseq's datasets and for ours: the same folder is read by both sides."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

WORDS = 30_000
FULL_STOP = "▁."
#: Every so many tokens a sentence ends.
SENTENCE = 20
DATA = Path(__file__).parents[2] / "recipes" / "translation" / "data"
SAMPLE = DATA / "translation.en-de.train.tsv.gz"


def dictionary() -> Any:
    """SentencePiece's spelling: two pieces of three begin a word, and ``▁.`` ends a sentence."""
    from fairseq.data import Dictionary

    made = Dictionary()
    made.add_symbol(FULL_STOP)
    for i in range(WORDS):
        made.add_symbol(f"▁w{i}" if i % 3 else f"w{i}")
    return made


def write(folder: Path, words: Any, lines: Iterable[np.ndarray[Any, Any]]) -> None:
    """Write a training set as ``fairseq-preprocess`` does, and its dictionary."""
    import torch
    from fairseq.data.indexed_dataset import make_builder

    words.save(str(folder / "dict.txt"))
    builder = make_builder(str(folder / "train.bin"), impl="mmap", vocab_size=len(words))
    for line in lines:
        builder.add_item(torch.from_numpy(np.append(line, words.eos())))
    builder.finalize(str(folder / "train.idx"))


def equal_lines(folder: Path, lines: int, length: int) -> Any:
    """Lines that become rows of ``length`` tokens between ``<s>`` and ``</s>``; the dictionary."""
    words, draw = dictionary(), np.random.default_rng(1)
    ids = draw.integers(words.nspecial, len(words), (lines, length - 2))
    ids[:, 0] = words.index("▁w1")
    ids[:, SENTENCE - 1 :: SENTENCE] = words.index(FULL_STOP)
    write(folder, words, ids)
    return words


def sample_lines(folder: Path, lines: int | None = None) -> Any:
    """The first lines of the sample that ships with a recipe, in words; the dictionary."""
    from fairseq.data import Dictionary

    with gzip.open(SAMPLE, "rt", encoding="utf-8") as file:
        text = [[f"▁{word}" for word in line.split("\t")[0].split()] for line in list(file)[:lines]]
    words = Dictionary()
    ids = [np.array([words.add_symbol(word) for word in line]) for line in text]
    write(folder, words, ids)
    return words


def word_starts(words: Any) -> Any:
    """Where words begin, as fairseq's datasets want it: one byte for each symbol."""
    import torch

    return torch.tensor(
        [i < words.nspecial or s.startswith("▁") for i, s in enumerate(words.symbols)]
    ).byte()
