"""Runs of chosen tokens, and how far their ends are."""

from __future__ import annotations

import numpy as np

from maskplug.arrays import BoolArray, IntArray
from maskplug.kernels import kernel


@kernel
def distances(
    chosen: BoolArray, outside: BoolArray, offsets: IntArray
) -> tuple[IntArray, IntArray]:
    """How far each chosen token is from the nearest one, left and right, that is not chosen.

    0 for tokens that are not chosen, and where the run of chosen tokens reaches the end of the row
    or a token that is ``outside``.
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
