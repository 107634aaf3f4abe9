"""Weighted sampling without replacement in integer arithmetic, identical on all platforms."""

from __future__ import annotations

import numpy as np

from maskplug.kernels import kernel
from maskplug.kernels.philox import LOW, SHIFT, fill, longest, room
from maskplug.types import BoolArray, FloatArray, IntArray, UintArray


@kernel
def high_product(a: np.uint64, b: np.uint64) -> np.uint64:
    """Return the upper 64 bits of the 128-bit product."""
    low = (a & LOW) * (b & LOW)
    middle = (a >> SHIFT) * (b & LOW) + (low >> SHIFT)
    other = (a & LOW) * (b >> SHIFT) + (middle & LOW)
    return (a >> SHIFT) * (b >> SHIFT) + (middle >> SHIFT) + (other >> SHIFT)


@kernel
def shares(out: IntArray, weights: FloatArray) -> int:
    """Write the weights as integers, with the maximum as 2**32; return their sum.

    Weights above 0 become at least 1.
    """
    greatest = weights.max() if len(weights) else 0.0
    total = 0
    for i in range(len(weights)):
        out[i] = 0
        if weights[i] > 0.0:
            share = np.int64(np.rint(weights[i] / greatest * 2.0**32))
            out[i] = share if share > 0 else 1
        total += out[i]
    return total


@kernel
def plant(tree: IntArray, values: IntArray, size: int) -> None:
    """Write the binary indexed tree of the sums of the first ``size`` values to ``tree``.

    Source: Fenwick, "A new data structure for cumulative frequency tables", 1994.
    """
    for i in range(size):
        tree[i] = values[i]
    for i in range(1, size + 1):
        above = i + (i & -i)
        if above <= size:
            tree[above - 1] += tree[i - 1]


@kernel
def find(tree: IntArray, size: int, point: np.int64) -> int:
    """Return the first unit whose cumulative sum exceeds ``point``, which is below the total."""
    at = 0
    step = 1
    while 2 * step <= size:
        step *= 2
    while step:
        if at + step <= size and tree[at + step - 1] <= point:
            at += step
            point -= tree[at - 1]
        step //= 2
    return at


@kernel
def weighted(
    keys: UintArray, offsets: IntArray, weights: FloatArray, budgets: IntArray
) -> BoolArray:
    """Return a bool for each unit: ``budgets[row]`` per row, without replacement, by weight.

    Each draw takes one of the remaining units with probability (its weight) / (sum of the remaining
    weights), which is the distribution of Efraimidis and Spirakis, "Weighted random sampling with a
    reservoir", 2006. With equal weights every subset is equally likely. Units of weight 0 are
    selected only if no others are left, uniformly.

    Args:
        keys: stream key of each row.
        offsets: row offsets of the units.
        weights: one for each unit, finite and not negative.
        budgets: number of units to select in each row, at most as many as it has.
    """
    chosen = np.zeros(offsets[-1], np.bool_)
    most = longest(offsets)
    values = np.empty(most, np.int64)
    tree = np.empty(most, np.int64)
    words = room(2 * most)
    for row in range(len(keys)):
        first = offsets[row]
        size = offsets[row + 1] - first
        total = shares(values, weights[first : first + size])
        plant(tree, values, size)
        fill(words, 2 * budgets[row], keys[row], 0)
        for draw in range(budgets[row]):
            if total == 0:
                for i in range(size):
                    values[i] = np.int64(not chosen[first + i])
                    total += values[i]
                plant(tree, values, size)
            word = np.uint64(words[2 * draw]) | np.uint64(words[2 * draw + 1]) << SHIFT
            unit = find(tree, size, np.int64(high_product(word, np.uint64(total))))
            chosen[first + unit] = True
            total -= values[unit]
            i = unit + 1
            while i <= size:
                tree[i - 1] -= values[unit]
                i += i & -i
    return chosen
