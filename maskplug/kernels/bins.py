"""Items of several sizes put into few bins."""

from __future__ import annotations

import numpy as np

from maskplug.kernels import kernel
from maskplug.types import IntArray


@kernel
def first_fit(sizes: IntArray, order: IntArray, room: int) -> IntArray:
    """The bin of each item: taken in this order, each goes into the first bin where it fits.

    Args:
        sizes: int64, none above ``room``.
        order: int64, each item once; with the largest first, few bins are needed.
        room: what a bin holds.

    Source: Johnson et al., "Worst-case performance bounds for simple one-dimensional packing
    algorithms", 1974.
    """
    bins = np.empty(len(sizes), np.int64)
    free = np.full(len(sizes), room)
    for item in order:
        place = 0
        while free[place] < sizes[item]:
            place += 1
        free[place] -= sizes[item]
        bins[item] = place
    return bins
