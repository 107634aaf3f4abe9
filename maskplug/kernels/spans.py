"""Spans at random places, disjoint, with an exact budget; their lengths follow one of two laws."""

from __future__ import annotations

import numpy as np

from maskplug.kernels import kernel
from maskplug.kernels.arrange import shuffle
from maskplug.kernels.philox import fill, longest, room
from maskplug.kernels.select import sampled
from maskplug.types import IntArray, UintArray, Words


@kernel
def reached(law: UintArray, word: np.uint32) -> int:
    """How many of the limits of a law (cumulative, times 2**32) a word has reached."""
    count = 0
    for i in range(len(law)):  # all of them: a way out is mispredicted at random, and costs more
        count += int(np.uint64(word) >= law[np.uint64(i)])
    return count


@kernel
def draw_lengths(
    lengths: IntArray, words: Words, key: np.uint64, budget: int, law: UintArray, least: int
) -> int:
    """Lengths of ``least`` (0 or 1) and more that add up to ``budget``; returns how many.

    They follow ``law`` (cumulative from the least on, times 2**32) until the budget is spent, and
    the last is cut. Once ``budget`` of them are 0, another 0 counts as 1: there are never more than
    twice the budget.
    """
    fill(words, (2 - least) * budget, key, 0)
    count = 0
    empty = 0
    left = budget
    while left > 0:
        length = min(least + reached(law, words[count]), left)
        if length == 0 and empty == budget:
            length = 1
        empty += int(length == 0)
        lengths[count] = length
        left -= length
        count += 1
    # In random order: the cut one must not always come last in the row.
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

    With ``gaps``, spans keep at least one of the ``free`` units between them wherever that is
    possible; without, they may touch. ``chosen`` has room for one more than there are spans.
    """
    apart = gaps and count <= free + 1
    slots = free + 1 if apart else free + count
    fill(words, slots, key, 0)
    sampled(chosen, words, slots, count)
    shift = 0  # how much longer the spans so far are, with their gaps, than one slot each
    for k in range(count):
        places[k] = np.int64(chosen[k]) + shift
        shift += lengths[k] - 1 + int(apart)


@kernel
def sample_lengths(
    keys: UintArray, budgets: IntArray, law: UintArray, least: int
) -> tuple[IntArray, IntArray]:
    """Lengths of each row as :func:`draw_lengths` draws them, and their row offsets."""
    sizes = np.empty((2 - least) * budgets.sum(), np.int64)
    rows = np.zeros(len(keys) + 1, np.int64)
    words = room((2 - least) * budgets.max() if len(keys) else 0)
    n = 0
    for row in range(len(keys)):
        n += draw_lengths(sizes[n:], words, keys[row], budgets[row], law, least)
        rows[row + 1] = n
    return sizes[:n], rows


@kernel
def span_counts(available: IntArray, wanted: IntArray, mean: float) -> tuple[IntArray, IntArray]:
    """How many units of each row to hide, and in how many spans of ``mean`` units or so.

    One unit stays visible unless there is only one, and there are no more spans than can stand
    apart.
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
    """Each row's budget cut into ``counts`` lengths, and their row offsets.

    Every way to write the budget as an ordered sum of so many lengths, none of them 0, is equally
    likely: the cuts are a random subset of the places between two units.
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
        begun = np.int64(0)
        for k in range(cuts):
            end = np.int64(chosen[k]) + 1
            sizes[n] = end - begun
            begun = end
            n += 1
        if counts[row] > 0:
            sizes[n] = budgets[row] - begun
            n += 1
        rows[row + 1] = n
    return sizes, rows


@kernel
def before(starts: IntArray, lengths: IntArray, first: int, end: int, unit: int) -> int:
    """Where something stands that is inserted before a unit, or behind the last one."""
    if first + unit < end:
        return starts[first + unit]  # type: ignore[no-any-return]
    return starts[end - 1] + lengths[end - 1]  # type: ignore[no-any-return]


@kernel
def unbroken(starts: IntArray, lengths: IntArray, first: int, end: int) -> bool:
    """Whether each of these units begins where the one before it ends."""
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
    """Token starts, token lengths and row offsets of spans of units at random places.

    Row i gets spans of ``sizes[bounds[i]:bounds[i + 1]]`` units, in this order, with or without
    ``gaps``; see :func:`place`. A span that meets a token which cannot be masked goes on behind it
    as a span of its own. An empty span stands before the unit at its place, or behind the last one.
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
        own = sizes[bounds[row] : bounds[row + 1]]
        free = offsets[row + 1] - first - own.sum()
        place(places, own, len(own), chosen, words, keys[row], free, gaps)
        whole = unbroken(starts, lengths, first, offsets[row + 1])
        for k in range(len(own)):
            if own[k] == 0:
                out_starts[n] = before(starts, lengths, first, offsets[row + 1], places[k])
                out_lengths[n] = 0
                n += 1
            elif whole:
                start, last = starts[first + places[k]], first + places[k] + own[k] - 1
                out_starts[n] = start
                out_lengths[n] = starts[last] + lengths[last] - start
                n += 1
            else:
                for i in range(places[k], places[k] + own[k]):
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
    law: UintArray,
    gaps: bool,
) -> tuple[IntArray, IntArray, IntArray]:
    """Spans of units whose lengths follow ``law``: as :func:`lay_out` gives them."""
    sizes, bounds = sample_lengths(length_keys, budgets, law, 1)
    return lay_out(place_keys, starts, lengths, offsets, sizes, bounds, gaps)
