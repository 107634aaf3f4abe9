"""Segments, blocks and levels match the definition in plain Python."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from maskplug.kernels.segments import block_numbers, independent_in_blocks, levels
from maskplug.types import readonly
from support import reference as ref
from support.flat import flat, integers, joined, row_offsets, stream_keys

#: Rows of tokens, True for maskable ones, and the block size.
batches = st.lists(st.lists(st.booleans(), max_size=9), max_size=5)
sizes = st.integers(1, 4)


def numbered(row: list[bool], block: int) -> list[int]:
    """Return the block of each token: that of the last maskable token up to it."""
    seen = np.cumsum(row, dtype=int) if row else []
    return [(int(n) - 1) // block if n else -1 for n in seen]


@given(batches, sizes)
def test_block_numbers(rows: list[list[bool]], block: int) -> None:
    maskable, offsets = flat(rows, np.bool_)
    units = row_offsets([sum(row) for row in rows])
    result = block_numbers(integers(np.flatnonzero(maskable)), units, offsets, block)
    assert result.tolist() == joined([numbered(row, block) for row in rows])


@given(batches, sizes)
def test_levels(rows: list[list[bool]], block: int) -> None:
    numbers = [numbered(row, block) for row in rows]
    counts = [max(row, default=-1) + 1 for row in numbers]
    times = readonly(np.linspace(0.0, 0.9, sum(counts) + 1), np.float64)
    bounds = row_offsets(counts)
    assert levels(*flat(numbers), times, bounds).tolist() == [
        times[first + n] if n >= 0 else 1.0
        for first, row in zip(bounds.tolist(), numbers, strict=False)
        for n in row
    ]


@given(st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 90)), max_size=4), sizes)
def test_independent_in_blocks(rows: list[tuple[int, int]], block: int) -> None:
    counts = [-(-count // block) for _, count in rows]
    limits = stream_keys(np.linspace(0, 2**32, sum(counts) + 1).astype(np.uint64))
    bounds = row_offsets(counts)
    keys, offsets = stream_keys([key for key, _ in rows]), row_offsets([n for _, n in rows])
    assert independent_in_blocks(keys, offsets, limits, bounds, block).tolist() == [
        word < limits[first + i // block]
        for first, (key, count) in zip(bounds.tolist(), rows, strict=False)
        for i, word in enumerate(ref.words(key, count))
    ]
