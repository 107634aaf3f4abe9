"""Select units: independently, an exact or drawn number, or words up to a budget of tokens."""

from __future__ import annotations

import numpy as np

from maskplug.kernels import kernel
from maskplug.kernels.philox import fill, first_word, longest, room, streams
from maskplug.types import BoolArray, FloatArray, IntArray, UintArray, Words

SHIFT = np.uint64(32)


@kernel
def below(word: np.uint32, bound: int) -> int:
    """Convert a random 32-bit word to an integer from 0 to bound - 1."""
    return np.int64((np.uint64(word) * np.uint64(bound)) >> SHIFT)  # type: ignore[return-value]


@kernel
def rounded(key: np.uint64, available: int, rate: float) -> int:
    """Return ``rate * available`` rounded at random, and at least 1 if possible."""
    if rate == 0.0:
        return 0
    count = np.floor(rate * available + first_word(key, 0) * 2.0**-32)
    return min(max(np.int64(count), 1), available)  # type: ignore[return-value]


@kernel
def budgets(keys: UintArray, available: IntArray, rates: FloatArray) -> IntArray:
    """Return :func:`rounded` for each row."""
    out = np.empty(len(keys), np.int64)
    for row in range(len(keys)):
        out[row] = rounded(keys[row], available[row], rates[row])
    return out


@kernel
def independent(
    keys: UintArray,
    offsets: IntArray,
    thresholds: UintArray,
    always_one: bool,
    leave_one: bool,
    draw: int,
) -> BoolArray:
    """Return a bool for each unit: selected if its word is below the row's threshold.

    Thresholds are rates times 2**32. ``always_one`` selects the unit with the lowest word if none
    is selected; ``leave_one`` deselects the one with the highest word if all are. Another ``draw``
    uses other words.
    """
    chosen = np.empty(offsets[-1], np.bool_)
    words = room(longest(offsets))
    for row in range(len(keys)):
        first = offsets[row]
        count = offsets[row + 1] - first
        fill(words, count, keys[row], draw)
        total = 0
        for i in range(count):
            chosen[first + i] = np.uint64(words[i]) < thresholds[row]
            total += int(chosen[first + i])
        if always_one and total == 0 and count > 0 and thresholds[row] > 0:
            chosen[first + np.argmin(words[:count])] = True
            total = 1
        if leave_one and total == count and count > 0:
            chosen[first + np.argmax(words[:count])] = False
    return chosen


@kernel
def sampled(places: Words, words: Words, count: int, wanted: int) -> None:
    """Write the sorted indices of ``wanted`` out of ``count`` units, every subset equally likely.

    Selection sampling: unit i is selected with probability (still wanted) / (still to come).
    ``words`` are overwritten, and ``places`` needs room for one more. Source: Knuth, "The Art of
    Computer Programming" 2, section 3.4.2, algorithm S.
    """
    for i in range(count):
        words[i] = np.uint32((np.uint64(words[i]) * np.uint64(count - i)) >> SHIFT)
    written = np.uint64(0)
    left = np.uint32(wanted)
    for i in range(count):
        # Always written and kept by the count: a branch here is mispredicted at random.
        places[written] = i
        taken = np.uint32(words[i] < left)
        written += np.uint64(taken)
        left -= taken


@kernel
def exact(keys: UintArray, offsets: IntArray, budgets: IntArray) -> BoolArray:
    """Return a bool for each unit: ``budgets[row]`` per row, every subset equally likely."""
    chosen = np.zeros(offsets[-1], np.bool_)
    words = room(longest(offsets))
    places = np.empty(longest(offsets) + 1, np.uint32)
    for row in range(len(keys)):
        count = offsets[row + 1] - offsets[row]
        fill(words, count, keys[row], 0)
        wanted = min(budgets[row], count)
        sampled(places, words, count, wanted)
        for k in range(wanted):
            chosen[offsets[row] + places[k]] = True
    return chosen


@kernel
def exact_units(
    keys: UintArray, starts: IntArray, lengths: IntArray, offsets: IntArray, budgets: IntArray
) -> tuple[IntArray, IntArray, IntArray]:
    """Return starts, lengths and row offsets of the units that :func:`exact` selects."""
    rows = np.zeros(len(offsets), np.int64)
    for row in range(len(keys)):
        rows[row + 1] = rows[row] + min(budgets[row], offsets[row + 1] - offsets[row])
    out_starts = np.empty(rows[-1], np.int64)
    out_lengths = np.empty(rows[-1], np.int64)
    words = room(longest(offsets))
    places = np.empty(longest(offsets) + 1, np.uint32)
    for row in range(len(keys)):
        first = offsets[row]
        count = offsets[row + 1] - first
        fill(words, count, keys[row], 0)
        wanted = rows[row + 1] - rows[row]
        sampled(places, words, count, wanted)
        for k in range(wanted):
            out_starts[rows[row] + k] = starts[first + places[k]]
            out_lengths[rows[row] + k] = lengths[first + places[k]]
    return out_starts, out_lengths, rows


@kernel
def exact_tokens(
    ids: IntArray,
    special: BoolArray,
    offsets: IntArray,
    budget_keys: UintArray,
    rates: FloatArray,
    keys: UintArray,
) -> tuple[IntArray, IntArray]:
    """Select ordinary tokens as :func:`exact_units` does, with a :func:`rounded` budget.

    Works row by row, so that only the result is as long as the batch. Ids must be in the
    vocabulary. Returns the positions and their row offsets.
    """
    most = longest(offsets)
    words = room(most)
    free = np.empty(most + 1, np.int64)
    places = np.empty(most + 1, np.uint32)
    highest = 0.0
    for row in range(len(keys)):
        highest = max(highest, rates[row])
    out = np.empty(np.int64(highest * len(ids)) + len(offsets), np.int64)  # one more a row at most
    rows = np.zeros(len(offsets), np.int64)
    for row in range(len(keys)):
        written = np.uint64(0)
        first = np.uint64(offsets[row])
        for k in range(offsets[row + 1] - offsets[row]):
            i = first + np.uint64(k)
            free[written] = i
            written += np.uint64(not special[np.uint64(ids[i])])
        count = int(np.int64(written))
        wanted = rounded(budget_keys[row], count, rates[row])
        fill(words, count, keys[row], 0)
        sampled(places, words, count, wanted)
        for k in range(wanted):
            out[rows[row] + k] = free[places[k]]
        rows[row + 1] = rows[row] + wanted
    return out[: rows[-1]], rows


@kernel
def words_to_budget(
    keys: UintArray, lengths: IntArray, offsets: IntArray, budgets: IntArray
) -> BoolArray:
    """Return a bool for each word: words in random order until the row's budget of tokens is spent.

    The word that would exceed the budget is selected with probability (budget left) / (its length),
    so that the mean number of tokens is the budget. At least one word is selected.
    """
    chosen = np.zeros(offsets[-1], np.bool_)
    most = longest(offsets)
    order = np.empty(most, np.int64)
    words = room(most)
    for row in range(len(keys)):
        first = offsets[row]
        count = offsets[row + 1] - first
        left = budgets[row]
        if left == 0:
            continue
        for i in range(count):
            order[i] = i
        fill(words, min(count, left + 1), keys[row], 0)  # each word has at least one token
        for i in range(count):
            j = i + below(words[i], count - i)
            word = order[j]
            order[j] = order[i]
            length = lengths[first + word]
            if length > left:
                last = first_word(keys[row], 1)
                chosen[first + word] = below(last, length) < left or i == 0
                break
            chosen[first + word] = True
            left -= length
            if left == 0:
                break
    return chosen


@kernel
def words_within(
    keys: UintArray, lengths: IntArray, offsets: IntArray, budgets: IntArray
) -> BoolArray:
    """Return a bool for each word: words in random order that fit into the row's budget.

    If no word fits and the budget is not 0, the first word in the order is selected.
    """
    chosen = np.zeros(offsets[-1], np.bool_)
    most = longest(offsets)
    order = np.empty(most, np.int64)
    words = room(most)
    for row in range(len(keys)):
        first = offsets[row]
        count = offsets[row + 1] - first
        left = budgets[row]
        for i in range(count):
            order[i] = i
        fill(words, count, keys[row], 0)
        for i in range(count):
            if left == 0:
                break
            j = i + below(words[i], count - i)
            word = order[j]
            order[j] = order[i]
            order[i] = word
            if lengths[first + word] <= left:
                chosen[first + word] = True
                left -= lengths[first + word]
        if count > 0 and left > 0 and left == budgets[row]:
            chosen[first + order[0]] = True
    return chosen


@kernel
def switch_count(word: np.uint32, units: int, ratio: float) -> int:
    """Return a number n from 1 to ``units`` with probability proportional to ``ratio ** n``."""
    total = 0.0
    term = 1.0
    for _ in range(units):
        total += term
        term *= ratio
    point = word * 2.0**-32 * total
    count = 1
    term = 1.0
    cumulative = 1.0
    while cumulative <= point and count < units:
        term *= ratio
        cumulative += term
        count += 1
    return count


@kernel
def switches(count_keys: UintArray, keys: UintArray, offsets: IntArray, ratio: float) -> BoolArray:
    """Return a bool for each unit, selected with probability (number of changes) / (units)."""
    chosen = np.zeros(offsets[-1], np.bool_)
    words = streams(keys, offsets, 0)
    for row in range(len(keys)):
        first, end = offsets[row], offsets[row + 1]
        count = switch_count(first_word(count_keys[row], 0), end - first, ratio)
        for i in range(first, end):
            chosen[i] = below(words[i], end - first) < count
    return chosen
