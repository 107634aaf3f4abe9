"""Positions between units for insertions."""

from __future__ import annotations

import numpy as np

from maskplug.kernels import kernel
from maskplug.kernels.philox import longest, room
from maskplug.kernels.spans import before, place
from maskplug.types import IntArray, UintArray


@kernel
def insertions(
    keys: UintArray, starts: IntArray, lengths: IntArray, offsets: IntArray, counts: IntArray
) -> IntArray:
    """Return ``counts[row]`` distinct insertion positions, before units or after the last one."""
    most = longest(offsets)
    out = np.empty(counts.sum(), np.int64)
    no_lengths = np.zeros(most, np.int64)
    places = np.empty(most, np.int64)
    chosen = np.empty(most + 1, np.uint32)
    words = room(most + 1)
    n = 0
    for row in range(len(keys)):
        first, end = offsets[row], offsets[row + 1]
        place(places, no_lengths, counts[row], chosen, words, keys[row], end - first, True)
        for k in range(counts[row]):
            out[n] = before(starts, lengths, first, end, places[k])
            n += 1
    return out
