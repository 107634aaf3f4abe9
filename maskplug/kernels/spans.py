"""Disjoint spans and insertions at random places, with an exact budget."""

from __future__ import annotations

import numpy as np

from maskplug.kernels import kernel
from maskplug.kernels.arrange import shuffle
from maskplug.kernels.philox import fill, longest, room
from maskplug.kernels.select import sampled
from maskplug.types import IntArray, UintArray, Words


@kernel
def reached(cdf: UintArray, word: np.uint32) -> int:
    """Return the number of thresholds that a word reaches."""
    count = 0
    for i in range(len(cdf)):  # no early exit: it is mispredicted at random, and slower
        count += int(np.uint64(word) >= cdf[np.uint64(i)])
    return count


@kernel
def draw_lengths(
    lengths: IntArray, words: Words, key: np.uint64, budget: int, cdf: UintArray, least: int
) -> int:
    """Write lengths of at least ``least`` (0 or 1) that add up to ``budget``; return their number.

    They follow ``cdf`` (cumulative from ``least`` on, times 2**32) until the budget is spent; the
    last one is cut to fit. After ``budget`` lengths of 0, another 0 counts as 1, so that there are
    at most twice the budget.
    """
    fill(words, (2 - least) * budget, key, 0)
    count = 0
    empty = 0
    left = budget
    while left > 0:
        length = min(least + reached(cdf, words[count]), left)
        if length == 0 and empty == budget:
            length = 1
        empty += int(length == 0)
        lengths[count] = length
        left -= length
        count += 1
    # Shuffled, so that the length that was cut is not always the last one.
    fill(words, count, key, 1)
    shuffle(lengths, count, words)
    return count


@kernel
def place(
    places: IntArray,
    lengths: IntArray,
    count: int,
    chosen: Words,
    words: Words,
    key: np.uint64,
    free: int,
    gaps: bool,
) -> None:
    """Write the first unit of each span to ``places``; every arrangement is equally likely.

    With ``gaps``, spans keep at least one of the ``free`` units between them if possible; otherwise
    they may touch. ``chosen`` needs room for one more than there are spans.
    """
    apart = gaps and count <= free + 1
    slots = free + 1 if apart else free + count
    fill(words, slots, key, 0)
    sampled(chosen, words, slots, count)
    shift = 0  # total length of the spans so far, with gaps, minus one slot each
    for k in range(count):
        places[k] = np.int64(chosen[k]) + shift
        shift += lengths[k] - 1 + int(apart)


@kernel
def sample_lengths(
    keys: UintArray, budgets: IntArray, cdf: UintArray, least: int
) -> tuple[IntArray, IntArray]:
    """Return lengths of each row as :func:`draw_lengths` draws them, and their row offsets."""
    sizes = np.empty((2 - least) * budgets.sum(), np.int64)
    rows = np.zeros(len(keys) + 1, np.int64)
    words = room((2 - least) * budgets.max() if len(keys) else 0)
    n = 0
    for row in range(len(keys)):
        n += draw_lengths(sizes[n:], words, keys[row], budgets[row], cdf, least)
        rows[row + 1] = n
    return sizes[:n], rows


@kernel
def span_counts(available: IntArray, wanted: IntArray, mean: float) -> tuple[IntArray, IntArray]:
    """Return how many units of each row to hide, and in how many spans of about ``mean`` units.

    One unit stays visible unless there is only one. The number of spans is at most the number that
    can be separated.
    """
    budgets = np.empty(len(available), np.int64)
    counts = np.zeros(len(available), np.int64)
    for row in range(len(available)):
        budget = min(wanted[row], max(available[row] - 1, min(available[row], 1)))
        budgets[row] = budget
        if budget > 0:
            count = max(np.int64(np.rint(budget / mean)), 1)
            counts[row] = min(count, available[row] - budget + 1)
    return budgets, counts


@kernel
def compositions(keys: UintArray, budgets: IntArray, counts: IntArray) -> tuple[IntArray, IntArray]:
    """Return each row's budget divided into ``counts`` lengths, and their row offsets.

    Every ordered sum of positive lengths is equally likely: the cuts are a random subset of the
    boundaries between two units.
    """
    sizes = np.empty(counts.sum(), np.int64)
    rows = np.zeros(len(keys) + 1, np.int64)
    words = room(budgets.max() if len(keys) else 0)
    chosen = np.empty(counts.max() + 1 if len(keys) else 0, np.uint32)
    n = 0
    for row in range(len(keys)):
        cuts = counts[row] - 1
        if cuts > 0:
            fill(words, budgets[row] - 1, keys[row], 0)
            sampled(chosen, words, budgets[row] - 1, cuts)
        start = np.int64(0)
        for k in range(cuts):
            end = np.int64(chosen[k]) + 1
            sizes[n] = end - start
            start = end
            n += 1
        if counts[row] > 0:
            sizes[n] = budgets[row] - start
            n += 1
        rows[row + 1] = n
    return sizes, rows


@kernel
def before(starts: IntArray, lengths: IntArray, first: int, end: int, unit: int) -> int:
    """Return the position for an insertion before a unit, or after the last one."""
    if first + unit < end:
        return starts[first + unit]  # type: ignore[no-any-return]
    return starts[end - 1] + lengths[end - 1]  # type: ignore[no-any-return]


@kernel
def unbroken(starts: IntArray, lengths: IntArray, first: int, end: int) -> bool:
    """Return whether each of these units starts where the previous one ends."""
    broken = False
    for i in range(first + 1, end):
        at = np.uint64(i)
        before = at - np.uint64(1)
        broken |= starts[at] != starts[before] + lengths[before]
    return not broken


@kernel
def lay_out(
    keys: UintArray,
    starts: IntArray,
    lengths: IntArray,
    offsets: IntArray,
    sizes: IntArray,
    bounds: IntArray,
    gaps: bool,
) -> tuple[IntArray, IntArray, IntArray]:
    """Return token starts, token lengths and row offsets of spans of units at random places.

    Row i gets spans of ``sizes[bounds[i]:bounds[i + 1]]`` units, in this order, with or without
    ``gaps``; see :func:`place`. A token that cannot be masked splits a span. An empty span is
    before the unit at its place, or after the last one.
    """
    total = sizes.sum() + len(sizes)
    out_starts = np.empty(total, np.int64)
    out_lengths = np.empty(total, np.int64)
    rows = np.zeros(len(offsets), np.int64)
    places = np.empty(longest(bounds), np.int64)
    chosen = np.empty(longest(bounds) + 1, np.uint32)
    words = room(longest(offsets) + longest(bounds) + 1)
    n = 0
    for row in range(len(keys)):
        first = offsets[row]
        row_sizes = sizes[bounds[row] : bounds[row + 1]]
        free = offsets[row + 1] - first - row_sizes.sum()
        place(places, row_sizes, len(row_sizes), chosen, words, keys[row], free, gaps)
        whole = unbroken(starts, lengths, first, offsets[row + 1])
        for k in range(len(row_sizes)):
            if row_sizes[k] == 0:
                out_starts[n] = before(starts, lengths, first, offsets[row + 1], places[k])
                out_lengths[n] = 0
                n += 1
            elif whole:
                start, last = starts[first + places[k]], first + places[k] + row_sizes[k] - 1
                out_starts[n] = start
                out_lengths[n] = starts[last] + lengths[last] - start
                n += 1
            else:
                for i in range(places[k], places[k] + row_sizes[k]):
                    start = starts[first + i]
                    if i == places[k] or start != out_starts[n - 1] + out_lengths[n - 1]:
                        out_starts[n] = start
                        out_lengths[n] = 0
                        n += 1
                    out_lengths[n - 1] += lengths[first + i]
        rows[row + 1] = n
    return out_starts[:n], out_lengths[:n], rows


@kernel
def spans(
    length_keys: UintArray,
    place_keys: UintArray,
    starts: IntArray,
    lengths: IntArray,
    offsets: IntArray,
    budgets: IntArray,
    cdf: UintArray,
    gaps: bool,
) -> tuple[IntArray, IntArray, IntArray]:
    """Return spans of units whose lengths follow ``cdf``, as :func:`lay_out` does."""
    sizes, bounds = sample_lengths(length_keys, budgets, cdf, 1)
    return lay_out(place_keys, starts, lengths, offsets, sizes, bounds, gaps)


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
