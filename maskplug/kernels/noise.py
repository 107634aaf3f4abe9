"""Tokens in blocks of a row, each block with its own noise level."""

from __future__ import annotations

import numpy as np

from maskplug.kernels import kernel
from maskplug.kernels.philox import fill, longest, room
from maskplug.types import BoolArray, FloatArray, IntArray, UintArray


@kernel
def block_numbers(starts: IntArray, units: IntArray, offsets: IntArray, block: int) -> IntArray:
    """Return the block of every token, -1 before the first block.

    Every ``block`` of the tokens ``starts`` form a block; ``units`` are their row offsets.
    """
    out = np.empty(offsets[-1], np.int64)
    for row in range(len(offsets) - 1):
        number = -1
        room = 0
        at = offsets[row]
        for k in range(units[row], units[row + 1]):
            if room == 0:
                for i in range(at, starts[k]):
                    out[i] = number
                at = starts[k]
                number += 1
                room = block
            room -= 1
        for i in range(at, offsets[row + 1]):
            out[i] = number
    return out


@kernel
def levels(numbers: IntArray, offsets: IntArray, times: FloatArray, bounds: IntArray) -> FloatArray:
    """Return the level of every token's block; 1 outside of blocks."""
    out = np.empty(len(numbers), np.float64)
    for row in range(len(offsets) - 1):
        for i in range(offsets[row], offsets[row + 1]):
            out[i] = times[bounds[row] + numbers[i]] if numbers[i] >= 0 else 1.0
    return out


@kernel
def independent_in_blocks(
    keys: UintArray, offsets: IntArray, thresholds: UintArray, bounds: IntArray, block: int
) -> BoolArray:
    """Return a bool for each unit: selected if its word is below the threshold of its block.

    Every ``block`` units of a row form a block; ``bounds`` are the row offsets of the thresholds.
    """
    chosen = np.empty(offsets[-1], np.bool_)
    words = room(longest(offsets))
    for row in range(len(keys)):
        first = offsets[row]
        fill(words, offsets[row + 1] - first, keys[row], 0)
        for b in range(bounds[row], bounds[row + 1]):
            begin = (b - bounds[row]) * block
            for i in range(begin, min(begin + block, offsets[row + 1] - first)):
                chosen[first + i] = np.uint64(words[i]) < thresholds[b]
    return chosen
