"""Take rows out of a batch, put them back, trace tokens that moved, and pack rows into bins."""

from __future__ import annotations

import numpy as np

from maskplug.kernels import kernel
from maskplug.types import BoolArray, IntArray


@kernel
def ranges(firsts: IntArray, lengths: IntArray) -> tuple[IntArray, IntArray]:
    """Return consecutive integers from each of ``firsts``, concatenated, and their offsets."""
    offsets = np.zeros(len(firsts) + 1, np.int64)
    for r in range(len(firsts)):
        offsets[r + 1] = offsets[r] + lengths[r]
    numbers = np.empty(offsets[-1], np.int64)
    for r in range(len(firsts)):
        shift = firsts[r] - offsets[r]
        for i in range(offsets[r], offsets[r + 1]):
            numbers[i] = i + shift
    return numbers, offsets


@kernel
def put_rows(
    out: IntArray,
    offsets: IntArray,
    rows: IntArray,
    values: IntArray,
    bounds: IntArray,
    shifts: IntArray,
) -> None:
    """Write row r of ``values`` to row ``rows[r]`` of ``out``.

    ``offsets`` are those of ``out``, ``bounds`` those of ``values``. Values that are not negative
    are increased by the ``shifts`` of their row.
    """
    for r in range(len(rows)):
        at = offsets[rows[r]] - bounds[r]
        for i in range(bounds[r], bounds[r + 1]):
            out[at + i] = values[i] + (shifts[r] if values[i] >= 0 else 0)


@kernel
def row_sums(values: IntArray, offsets: IntArray) -> IntArray:
    """Return the sum of the values of each row."""
    out = np.zeros(len(offsets) - 1, np.int64)
    for row in range(len(out)):
        for i in range(offsets[row], offsets[row + 1]):
            out[row] += values[i]
    return out


@kernel
def mark(chosen: BoolArray, sources: IntArray, starts: IntArray, lengths: IntArray) -> None:
    """Write True at the original positions of the tokens in the spans.

    ``sources`` is the original position of each token, -1 for a new one; an empty array means that
    no token has moved.
    """
    for s in range(len(starts)):
        for i in range(starts[s], starts[s] + lengths[s]):
            source = sources[i] if len(sources) > 0 else i
            if source >= 0:
                chosen[np.uint64(source)] = True


@kernel
def follow(moved: IntArray, sources: IntArray) -> IntArray:
    """Return positions before two moves, first by ``sources`` and then by ``moved``."""
    out = np.empty(len(moved), np.int64)
    for i in range(len(moved)):
        # Always read, to avoid a branch that is mispredicted at random.
        first = sources[np.uint64(max(moved[i], 0))]
        out[i] = first if moved[i] >= 0 else -1
    return out


@kernel
def first_fit(sizes: IntArray, order: IntArray, room: int) -> IntArray:
    """Return the bin of each item: the first bin with enough room, for items in the given order.

    Args:
        sizes: int64, none above ``room``.
        order: int64, each item once; largest first needs few bins.
        room: capacity of a bin.

    Source: Johnson et al., "Worst-case performance bounds for simple one-dimensional packing
    algorithms", 1974.
    """
    bins = np.empty(len(sizes), np.int64)
    free = np.full(len(sizes), room)
    for item in order:
        b = 0
        while free[b] < sizes[item]:
            b += 1
        free[b] -= sizes[item]
        bins[item] = b
    return bins
