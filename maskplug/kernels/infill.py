"""Spans of random length, empty ones among them, and insertions."""

from __future__ import annotations

import numpy as np

from maskplug.arrays import IntArray, UintArray, Words
from maskplug.kernels import kernel
from maskplug.kernels.arrange import shuffle
from maskplug.kernels.philox import fill, longest, room
from maskplug.kernels.spans import before, place, reached


@kernel
def draw_lengths(
    lengths: IntArray, words: Words, key: np.uint64, budget: int, law: UintArray
) -> int:
    """Lengths of 0 and more that add up to ``budget``, in random order; returns how many.

    Lengths follow ``law`` (cumulative from 0 on, times 2**32) until the budget is spent; the last
    is cut. Once there are ``budget`` empty spans, a length of 0 counts as 1.
    """
    fill(words, 2 * budget, key, 0)
    count = 0
    empty = 0
    left = budget
    while left > 0:
        length = min(reached(law, words[count]), left)
        if length == 0:
            if empty < budget:
                empty += 1
            else:
                length = 1
        lengths[count] = length
        left -= length
        count += 1
    fill(words, count, key, 1)
    shuffle(lengths, count, words)
    return count


@kernel
def infill_lengths(keys: UintArray, budgets: IntArray, law: UintArray) -> tuple[IntArray, IntArray]:
    """The lengths of each row's spans, some of them 0, and their row offsets."""
    sizes = np.empty(2 * budgets.sum(), np.int64)
    rows = np.zeros(len(keys) + 1, np.int64)
    words = room(2 * budgets.max() if len(keys) else 0)
    n = 0
    for row in range(len(keys)):
        n += draw_lengths(sizes[n:], words, keys[row], budgets[row], law)
        rows[row + 1] = n
    return sizes[:n], rows


@kernel
def insertions(
    keys: UintArray, starts: IntArray, lengths: IntArray, offsets: IntArray, counts: IntArray
) -> IntArray:
    """Where ``counts[row]`` tokens are inserted: before units or behind the last, at most once."""
    most = longest(offsets)
    out = np.empty(counts.sum(), np.int64)
    nothing = np.zeros(most, np.int64)
    places = np.empty(most, np.int64)
    chosen = np.empty(most + 1, np.uint32)
    words = room(most + 1)
    n = 0
    for row in range(len(keys)):
        first, end = offsets[row], offsets[row + 1]
        place(places, nothing, counts[row], chosen, words, keys[row], end - first, True)
        for k in range(counts[row]):
            out[n] = before(starts, lengths, first, end, places[k])
            n += 1
    return out
