"""Which units: independent draws, exact counts, and words up to a budget of tokens."""

from __future__ import annotations

import numpy as np

from maskplug.arrays import BoolArray, FloatArray, IntArray, UintArray
from maskplug.kernels import kernel
from maskplug.kernels.philox import fill, longest, streams

SHIFT = np.uint64(32)


@kernel
def below(word: np.uint32, bound: int) -> int:
    """A random 32-bit word as an integer from 0 to bound - 1."""
    return np.int64((np.uint64(word) * np.uint64(bound)) >> SHIFT)  # type: ignore[return-value]


@kernel
def budgets(keys: UintArray, available: IntArray, rates: FloatArray) -> IntArray:
    """``rates * available`` of each row, rounded at random; at least one where that is possible."""
    out = np.zeros(len(keys), np.int64)
    word = np.empty(4, np.uint32)
    for row in range(len(keys)):
        fill(word, 1, keys[row], 0)
        wanted = np.floor(rates[row] * available[row] + word[0] * 2.0**-32)
        if rates[row] > 0.0:
            out[row] = min(max(np.int64(wanted), 1), available[row])
    return out


@kernel
def independent(
    keys: UintArray,
    offsets: IntArray,
    thresholds: UintArray,
    always_one: bool,
    leave_one: bool,
    draw: int = 0,
) -> BoolArray:
    """Bool a unit: chosen where its word is below the row's threshold (rate times 2**32).

    ``always_one`` adds the unit with the lowest word to an empty row; ``leave_one`` takes the one
    with the highest word out of a full row. Another ``draw`` has other words.
    """
    chosen = np.zeros(offsets[-1], np.bool_)
    words = streams(keys, offsets, draw)
    for row in range(len(keys)):
        first, end = offsets[row], offsets[row + 1]
        total = 0
        lowest = first
        highest = first
        for i in range(first, end):
            if np.uint64(words[i]) < thresholds[row]:
                chosen[i] = True
                total += 1
            if words[i] < words[lowest]:
                lowest = i
            if words[i] > words[highest]:
                highest = i
        if always_one and total == 0 and end > first and thresholds[row] > 0:
            chosen[lowest] = True
            total = 1
        if leave_one and total == end - first and end > first:
            chosen[highest] = False
    return chosen


@kernel
def exact(keys: UintArray, offsets: IntArray, budgets: IntArray) -> BoolArray:
    """Bool a unit: exactly ``budgets[row]`` of each row, every subset equally likely.

    Selection sampling: unit i is chosen with probability (still wanted) / (still to come).
    Source: Knuth, "The Art of Computer Programming" 2, section 3.4.2, algorithm S.
    """
    chosen = np.zeros(offsets[-1], np.bool_)
    words = streams(keys, offsets, 0)
    for row in range(len(keys)):
        end = offsets[row + 1]
        wanted = budgets[row]
        for i in range(offsets[row], end):
            take = below(words[i], end - i) < wanted
            chosen[i] = take
            wanted -= np.int64(take)
    return chosen


@kernel
def words_to_budget(
    keys: UintArray, lengths: IntArray, offsets: IntArray, budgets: IntArray
) -> BoolArray:
    """Bool a word: words in random order until the row's budget of tokens is spent.

    The word that would exceed the budget is taken with probability (budget left) / (its length),
    so that the mean number of tokens is the budget; then the row is done. No row stays empty.
    """
    chosen = np.zeros(offsets[-1], np.bool_)
    most = longest(offsets)
    order = np.empty(most, np.int64)
    words = streams(keys, offsets, 0)
    last = np.empty(4, np.uint32)
    for row in range(len(keys)):
        first = offsets[row]
        count = offsets[row + 1] - first
        left = budgets[row]
        if left == 0:
            continue
        for i in range(count):
            order[i] = i
        for i in range(count):
            j = i + below(words[first + i], count - i)
            word = order[j]
            order[j] = order[i]
            length = lengths[first + word]
            if length > left:
                fill(last, 1, keys[row], 1)
                chosen[first + word] = below(last[0], length) < left or i == 0
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
    """Bool a word: words in random order, without those that would exceed the row's budget.

    Where no word fits and the budget is not 0, the first in the order is taken.
    """
    chosen = np.zeros(offsets[-1], np.bool_)
    order = np.empty(longest(offsets), np.int64)
    words = streams(keys, offsets, 0)
    for row in range(len(keys)):
        first = offsets[row]
        count = offsets[row + 1] - first
        left = budgets[row]
        for i in range(count):
            order[i] = i
        for i in range(count):
            if left == 0:
                break
            j = i + below(words[first + i], count - i)
            word = order[j]
            order[j] = order[i]
            order[i] = word
            if lengths[first + word] <= left:
                chosen[first + word] = True
                left -= lengths[first + word]
        if count > 0 and left > 0 and left == budgets[row]:
            chosen[first + order[0]] = True
    return chosen
