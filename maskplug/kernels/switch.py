"""Draw a number of changes, then select units independently."""

from __future__ import annotations

import numpy as np

from maskplug.kernels import kernel
from maskplug.kernels.philox import first_word, streams
from maskplug.kernels.select import below
from maskplug.types import BoolArray, IntArray, UintArray


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
