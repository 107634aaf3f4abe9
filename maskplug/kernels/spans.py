"""Spans of random length at random places, disjoint, with an exact budget."""

from __future__ import annotations

import numpy as np

from maskplug.arrays import IntArray, UintArray, Words
from maskplug.kernels import kernel
from maskplug.kernels.philox import fill, longest
from maskplug.kernels.select import below


@kernel
def draw_lengths(
    lengths: IntArray, words: Words, key: np.uint64, budget: int, law: UintArray
) -> int:
    """Span lengths that add up to ``budget``, in random order; returns how many.

    Lengths follow ``law`` (cumulative, times 2**32) until the budget is spent; the last is cut.
    """
    fill(words, budget, key, 0)
    count = 0
    left = budget
    while left > 0:
        length = 1
        while np.uint64(words[count]) >= law[length - 1]:
            length += 1
        lengths[count] = min(length, left)
        left -= lengths[count]
        count += 1
    # The cut span must not always come last in the row.
    fill(words, count, key, 1)
    for i in range(count - 1, 0, -1):
        j = below(words[i], i + 1)
        lengths[i], lengths[j] = lengths[j], lengths[i]
    return count


@kernel
def place(
    places: IntArray, lengths: IntArray, count: int, words: Words, key: np.uint64, free: int
) -> None:
    """Write the first unit of each span to ``places``; every arrangement is equally likely.

    Spans keep at least one of the ``free`` units between them wherever that is possible.
    """
    apart = count <= free + 1
    slots = free + 1 if apart else free + count
    fill(words, slots, key, 0)
    cursor = 0
    placed = 0
    for slot in range(slots):
        if below(words[slot], slots - slot) < count - placed:
            places[placed] = cursor
            cursor += lengths[placed]
            placed += 1
            cursor += np.int64(apart)
        else:
            cursor += 1


@kernel
def spans(
    length_keys: UintArray,
    place_keys: UintArray,
    starts: IntArray,
    lengths: IntArray,
    offsets: IntArray,
    budgets: IntArray,
    law: UintArray,
) -> tuple[IntArray, IntArray, IntArray]:
    """Token starts, token lengths and row offsets of random spans of units.

    A span that meets a token which cannot be masked goes on behind it as a span of its own.
    """
    most = longest(offsets)
    total = budgets.sum()
    out_starts = np.empty(total, np.int64)
    out_lengths = np.empty(total, np.int64)
    rows = np.zeros(len(offsets), np.int64)
    sizes = np.empty(most, np.int64)
    places = np.empty(most, np.int64)
    words = np.empty(most + 8, np.uint32)
    n = 0
    for row in range(len(length_keys)):
        first = offsets[row]
        count = draw_lengths(sizes, words, length_keys[row], budgets[row], law)
        free = offsets[row + 1] - first - budgets[row]
        place(places, sizes, count, words, place_keys[row], free)
        for k in range(count):
            for i in range(places[k], places[k] + sizes[k]):
                start = starts[first + i]
                if i == places[k] or start != out_starts[n - 1] + out_lengths[n - 1]:
                    out_starts[n] = start
                    out_lengths[n] = 0
                    n += 1
                out_lengths[n - 1] += lengths[first + i]
        rows[row + 1] = n
    return out_starts[:n], out_lengths[:n], rows
