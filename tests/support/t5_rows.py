"""A vocabulary with enough sentinels for any row, a codec, and rows of every length."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from string import ascii_lowercase
from typing import Any

import numpy as np

import maskplug
from maskplug import TokenBatch
from support.cases import RICH
from support.denoising import spans_of

SENTINELS = list(range(1199, 199, -1))
PREFIX, MIDDLE, SUFFIX = 63, 64, 65
LETTERS = dict(zip(range(5, 31), ascii_lowercase, strict=True))
PAIRS = dict(enumerate(map("".join, zip("abcdefghij", "bcdefghijk", strict=True)), 31))
PIECES = LETTERS | PAIRS | {41: "the", 42: "é", 43: "漢字"}
IDS = {text: i for i, text in PIECES.items()}
LONGEST_FIRST = re.compile("|".join(sorted(IDS, key=len, reverse=True)))


class Greedy:
    """A codec of the ``PIECES``: the longest match, from left to right."""

    def encode(self, text: str) -> list[int]:
        return [IDS[piece] for piece in LONGEST_FIRST.findall(text)]

    def decode(self, ids: Any) -> str:
        return "".join([PIECES[i] for i in ids])


VOCAB = replace(
    RICH, size=1200, sentinel_ids=SENTINELS, word_start=np.arange(1200) % 2 == 0, sentence_end=None
)
TEXTUAL = replace(VOCAB, codec=Greedy())


@cache
def batch_of(samples: int, longest: int, ends: bool) -> TokenBatch:
    """Return random rows of 0 to ``longest`` ordinary tokens, with ``ends`` between bos and eos."""
    rng = np.random.default_rng(samples)
    lengths = rng.integers(0, longest + 1, samples) + 2 * ends
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    ids = rng.choice(VOCAB.ordinary, offsets[-1])
    if ends:
        ids[offsets[:-1]], ids[offsets[1:] - 1] = VOCAB.bos_id, VOCAB.eos_id
    return TokenBatch.from_flat(ids, offsets, range(samples))


def rows_of(tokens: TokenBatch) -> list[Any]:
    """Return the rows as arrays."""
    return np.split(tokens.ids, tokens.offsets[1:-1])


def free_of(row: list[int], vocab: maskplug.Vocabulary = VOCAB) -> list[int]:
    """Return the maskable positions of a row."""
    return [i for i, token in enumerate(row) if not vocab.special[token]]


def positions(selection: maskplug.Selection, tokens: TokenBatch) -> Iterator[list[list[int]]]:
    """Yield the spans of each row as lists of positions in the row."""
    for row in spans_of(selection, tokens):
        yield [list(range(start, start + length)) for start, length in row]
