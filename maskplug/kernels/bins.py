"""Bin packing."""

from __future__ import annotations

import numpy as np

from maskplug.kernels import kernel
from maskplug.types import IntArray


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
