"""Runs of neighboring units, and distances to the ends of selected runs."""

from __future__ import annotations

import numpy as np

from maskplug.kernels import kernel
from maskplug.types import BoolArray, IntArray


@kernel
def distances(
    chosen: BoolArray, outside: BoolArray, offsets: IntArray
) -> tuple[IntArray, IntArray]:
    """Return the distance from each selected token to the nearest unselected one, left and right.

    It is 0 for tokens that are not selected, and if the run of selected tokens reaches the end of
    the row or a token that is ``outside``.
    """
    left = np.zeros(len(chosen), np.int64)
    right = np.zeros(len(chosen), np.int64)
    for row in range(len(offsets) - 1):
        edge = -1
        for i in range(offsets[row], offsets[row + 1]):
            if outside[i]:
                edge = -1
            elif not chosen[i]:
                edge = i
            elif edge >= 0:
                left[i] = i - edge
        edge = -1
        for i in range(offsets[row + 1] - 1, offsets[row] - 1, -1):
            if outside[i]:
                edge = -1
            elif not chosen[i]:
                edge = i
            elif edge >= 0:
                right[i] = edge - i
    return left, right


@kernel
def stretch(
    starts: IntArray, lengths: IntArray, offsets: IntArray, firsts: IntArray, counts: IntArray
) -> tuple[IntArray, IntArray, IntArray]:
    """Return spans of ``counts[row]`` units of each row, from its unit ``firsts[row]`` on.

    Adjacent units form one span. Units beyond the row are ignored.
    """
    bounds = np.zeros(len(offsets), np.int64)
    total = 0
    for row in range(len(firsts)):
        total += max(counts[row], 0)
    out_starts = np.empty(min(total, len(starts)), np.int64)
    out_lengths = np.empty(len(out_starts), np.int64)
    n = 0
    for row in range(len(firsts)):
        behind = -1
        begin = max(offsets[row] + firsts[row], offsets[row])
        for k in range(begin, min(offsets[row] + firsts[row] + counts[row], offsets[row + 1])):
            if starts[k] != behind:
                out_starts[n] = starts[k]
                n += 1
            behind = starts[k] + lengths[k]
            out_lengths[n - 1] = behind - out_starts[n - 1]
        bounds[row + 1] = n
    return out_starts[:n], out_lengths[:n], bounds


@kernel
def touching(starts: IntArray, lengths: IntArray, offsets: IntArray) -> bool:
    """Return whether two spans of one row are adjacent."""
    for row in range(len(offsets) - 1):
        for k in range(offsets[row] + 1, offsets[row + 1]):
            if starts[k] == starts[k - 1] + lengths[k - 1]:
                return True
    return False
