"""Look up rows of ids: a hash table with open addressing."""

from __future__ import annotations

import numpy as np

from maskplug.kernels import kernel
from maskplug.kernels.philox import GOLDEN, mix64
from maskplug.types import IntArray


@kernel
def place_of(ids: IntArray, slots: int) -> int:
    """Return the first slot for these ids in a table of ``slots``, a power of two."""
    state = np.uint64(len(ids))
    for i in range(len(ids)):
        state = mix64(state ^ (np.uint64(ids[i]) + GOLDEN))
    return np.int64(state & np.uint64(slots - 1))  # type: ignore[return-value]


@kernel
def build_table(ids: IntArray, offsets: IntArray, slots: int) -> IntArray:
    """Return a hash table of the rows of ``ids``: the index of a row, or -1, for each slot."""
    table = np.full(slots, -1, np.int64)
    for row in range(len(offsets) - 1):
        slot = place_of(ids[offsets[row] : offsets[row + 1]], slots)
        while table[slot] >= 0:
            slot = (slot + 1) & (slots - 1)
        table[slot] = row
    return table


@kernel
def equal(a: IntArray, b: IntArray) -> bool:
    """Return whether two rows have the same ids."""
    if len(a) != len(b):
        return False
    for i in range(len(a)):  # noqa: SIM110 - compiled
        if a[i] != b[i]:
            return False
    return True


@kernel
def look_up(
    text: IntArray,
    starts: IntArray,
    lengths: IntArray,
    ids: IntArray,
    offsets: IntArray,
    table: IntArray,
) -> IntArray:
    """Return the index of the row of ``ids`` that equals each span of ``text``, or -1."""
    entries = np.full(len(starts), -1, np.int64)
    for s in range(len(starts)):
        span = text[starts[s] : starts[s] + lengths[s]]
        slot = place_of(span, len(table))
        while table[slot] >= 0:
            row = table[slot]
            if equal(ids[offsets[row] : offsets[row + 1]], span):
                entries[s] = row
                break
            slot = (slot + 1) & (len(table) - 1)
    return entries
