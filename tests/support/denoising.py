"""Helpers of the tests of denoising, gap sentences and pairs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from maskplug import Selection, TokenBatch
from support import reference as ref
from support.cases import RICH

ENDS = {7, 9}
DICTIONARY = Path(__file__).parent / "data" / "dictionary.tsv"
#: The content of that file.
WORDS = {(6, 7): [[20, 21, 22], [30]], (8,): [[12]], (10, 11): [[40, 41]], (9,): [[5]]}


def units_of(row: list[int], unit: str) -> list[list[int]]:
    """Return the positions of each unit of a row in the vocabulary RICH."""
    free = [i for i, token in enumerate(row) if not RICH.special[token]]
    if unit == "token":
        return [[i] for i in free]
    if unit == "word":
        return ref.word_groups(free, {i for i, token in enumerate(row) if token % 2 == 0})
    ends = [token in ENDS for token in row]
    starts = {i for i in range(1, len(row)) if ends[i - 1] and not ends[i]}
    return ref.word_groups(free, starts)


def spans_of(selection: Selection, tokens: TokenBatch) -> list[list[tuple[int, int]]]:
    """Return the spans of each row: first position in the row, and length."""
    rows: list[list[tuple[int, int]]] = [[] for _ in range(len(tokens))]
    for row, start, length in zip(selection.rows, selection.starts, selection.lengths, strict=True):
        rows[row].append((int(start - tokens.offsets[row]), int(length)))
    return rows


def ordinary() -> list[int]:
    return [int(i) for i in RICH.ordinary]


def rows_of(flat: Any, samples: int) -> list[tuple[int, ...]]:
    """Return rows of equal length as tuples."""
    return [tuple(row) for row in flat.reshape(samples, -1).tolist()]
