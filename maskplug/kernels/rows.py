"""Rows taken out of a batch, and put back where they belong."""

from __future__ import annotations

import numpy as np

from maskplug.kernels import kernel
from maskplug.types import IntArray


@kernel
def ranges(firsts: IntArray, lengths: IntArray) -> tuple[IntArray, IntArray]:
    """Whole numbers upwards from each first one, range behind range, and the ranges' offsets."""
    own = np.zeros(len(firsts) + 1, np.int64)
    for r in range(len(firsts)):
        own[r + 1] = own[r] + lengths[r]
    places = np.empty(own[-1], np.int64)
    for r in range(len(firsts)):
        shift = firsts[r] - own[r]
        for i in range(own[r], own[r + 1]):
            places[i] = i + shift
    return places, own


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

    ``offsets`` are those of ``out``, ``own`` those of ``values``. What is not negative grows by the
    ``shifts`` of its row: places in a batch, and -1 for nowhere.
    """
    for r in range(len(rows)):
        at = offsets[rows[r]] - own[r]
        for i in range(own[r], own[r + 1]):
            out[at + i] = values[i] + (shifts[r] if values[i] >= 0 else 0)


@kernel
def row_sums(values: IntArray, offsets: IntArray) -> IntArray:
    """The sum of the values of each row."""
    out = np.zeros(len(offsets) - 1, np.int64)
    for row in range(len(out)):
        for i in range(offsets[row], offsets[row + 1]):
            out[row] += values[i]
    return out
