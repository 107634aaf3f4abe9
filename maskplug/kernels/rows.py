"""Take rows out of a batch and put them back."""

from __future__ import annotations

import numpy as np

from maskplug.kernels import kernel
from maskplug.types import IntArray


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
    own: IntArray,
    shifts: IntArray,
) -> None:
    """Write row r of ``values`` to row ``rows[r]`` of ``out``.

    ``offsets`` are those of ``out``, ``own`` those of ``values``. Values that are not negative are
    increased by the ``shifts`` of their row.
    """
    for r in range(len(rows)):
        at = offsets[rows[r]] - own[r]
        for i in range(own[r], own[r + 1]):
            out[at + i] = values[i] + (shifts[r] if values[i] >= 0 else 0)


@kernel
def row_sums(values: IntArray, offsets: IntArray) -> IntArray:
    """Return the sum of the values of each row."""
    out = np.zeros(len(offsets) - 1, np.int64)
    for row in range(len(out)):
        for i in range(offsets[row], offsets[row + 1]):
            out[row] += values[i]
    return out
