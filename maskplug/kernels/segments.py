"""Select units independently, at least one in each segment."""

from __future__ import annotations

import numpy as np

from maskplug.kernels import kernel
from maskplug.kernels.philox import streams
from maskplug.types import BoolArray, IntArray, UintArray


@kernel
def segment_starts(values: IntArray, offsets: IntArray) -> IntArray:
    """Return for each token the start of its run of equal values in its row."""
    out = np.empty(len(values), np.int64)
    for row in range(len(offsets) - 1):
        for i in range(offsets[row], offsets[row + 1]):
            begins = i == offsets[row] or values[i] != values[i - 1]
            out[i] = i if begins else out[i - 1]
    return out


@kernel
def independent_in_segments(
    keys: UintArray, offsets: IntArray, segments: IntArray, thresholds: UintArray
) -> BoolArray:
    """Return a bool for each unit: selected if its word is below the row's threshold.

    Thresholds are rates times 2**32. ``segments`` holds the segment of each unit; neighbors with
    the same number are in the same one. In a segment without a selected unit, the one with the
    lowest word is selected.
    """
    chosen = np.zeros(offsets[-1], np.bool_)
    words = streams(keys, offsets, 0)
    for row in range(len(keys)):
        end = offsets[row + 1]
        total = 0
        lowest = offsets[row]
        for i in range(offsets[row], end):
            if i == offsets[row] or segments[i] != segments[i - 1]:
                total = 0
                lowest = i
            if np.uint64(words[i]) < thresholds[row]:
                chosen[i] = True
                total += 1
            if words[i] < words[lowest]:
                lowest = i
            last = i + 1 == end or segments[i + 1] != segments[i]
            if last and total == 0 and thresholds[row] > 0:
                chosen[lowest] = True
    return chosen
