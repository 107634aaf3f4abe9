"""Spans of random length, empty ones among them, and insertions."""

from __future__ import annotations

import numpy as np

from maskplug.arrays import IntArray, UintArray, Words
from maskplug.kernels import kernel
from maskplug.kernels.arrange import shuffle
from maskplug.kernels.philox import fill, longest
from maskplug.kernels.spans import place


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
        length = 0
        while np.uint64(words[count]) >= law[length]:
            length += 1
        if length == 0:
            if empty < budget:
                empty += 1
            else:
                length = 1
        lengths[count] = min(length, left)
        left -= lengths[count]
        count += 1
    fill(words, count, key, 1)
    shuffle(lengths, count, words)
    return count


@kernel
def before(starts: IntArray, lengths: IntArray, first: int, end: int, unit: int) -> int:
    """Where something stands that is inserted before a unit, or behind the last one."""
    if first + unit < end:
        return starts[first + unit]  # type: ignore[no-any-return]
    return starts[end - 1] + lengths[end - 1]  # type: ignore[no-any-return]


@kernel
def infill_spans(
    length_keys: UintArray,
    place_keys: UintArray,
    starts: IntArray,
    lengths: IntArray,
    offsets: IntArray,
    budgets: IntArray,
    law: UintArray,
) -> tuple[IntArray, IntArray, IntArray]:
    """Token starts, token lengths and row offsets of spans of units, some of them empty.

    A span that meets a token which cannot be masked goes on behind it as a span of its own.
    """
    most = longest(offsets)
    total = 2 * budgets.sum()
    out_starts = np.empty(total, np.int64)
    out_lengths = np.empty(total, np.int64)
    rows = np.zeros(len(offsets), np.int64)
    sizes = np.empty(2 * most, np.int64)
    places = np.empty(2 * most, np.int64)
    words = np.empty(2 * most + 8, np.uint32)
    n = 0
    for row in range(len(length_keys)):
        first, end = offsets[row], offsets[row + 1]
        count = draw_lengths(sizes, words, length_keys[row], budgets[row], law)
        free = end - first - budgets[row]
        place(places, sizes, count, words, place_keys[row], free, True)
        for k in range(count):
            if sizes[k] == 0:
                out_starts[n] = before(starts, lengths, first, end, places[k])
                out_lengths[n] = 0
                n += 1
            for i in range(places[k], places[k] + sizes[k]):
                start = starts[first + i]
                if i == places[k] or start != out_starts[n - 1] + out_lengths[n - 1]:
                    out_starts[n] = start
                    out_lengths[n] = 0
                    n += 1
                out_lengths[n - 1] += lengths[first + i]
        rows[row + 1] = n
    return out_starts[:n], out_lengths[:n], rows


@kernel
def insertions(
    keys: UintArray, starts: IntArray, lengths: IntArray, offsets: IntArray, counts: IntArray
) -> IntArray:
    """Where ``counts[row]`` tokens are inserted: before units or behind the last, at most once."""
    most = longest(offsets)
    out = np.empty(counts.sum(), np.int64)
    nothing = np.zeros(most, np.int64)
    places = np.empty(most, np.int64)
    words = np.empty(most + 8, np.uint32)
    n = 0
    for row in range(len(keys)):
        first, end = offsets[row], offsets[row + 1]
        place(places, nothing, counts[row], words, keys[row], end - first, True)
        for k in range(counts[row]):
            out[n] = before(starts, lengths, first, end, places[k])
            n += 1
    return out
