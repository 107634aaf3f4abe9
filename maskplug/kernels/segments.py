"""Segments and blocks of rows, and the selection of units in each."""

from __future__ import annotations

import numpy as np

from maskplug.kernels import kernel
from maskplug.kernels.philox import fill, longest, room, streams
from maskplug.types import BoolArray, FloatArray, IntArray, UintArray


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
