"""Random orders."""

from __future__ import annotations

import numpy as np

from maskplug.arrays import IntArray, UintArray
from maskplug.kernels import kernel
from maskplug.kernels.philox import streams
from maskplug.kernels.select import below


@kernel
def ranks(keys: UintArray, offsets: IntArray) -> IntArray:
    """Ranks 0 … n-1 for the n items of each row, every order equally likely.

    Source: Durstenfeld, "Algorithm 235: random permutation", 1964.
    """
    out = np.empty(offsets[-1], np.int64)
    words = streams(keys, offsets, 0)
    for row in range(len(keys)):
        first = offsets[row]
        count = offsets[row + 1] - first
        for i in range(count):
            out[first + i] = i
        for i in range(count - 1, 0, -1):
            j = below(words[first + i], i + 1)
            out[first + i], out[first + j] = out[first + j], out[first + i]
    return out


@kernel
def scatter(out: IntArray, starts: IntArray, lengths: IntArray, values: IntArray) -> None:
    """Write the values, one after the other, to the tokens of the spans."""
    n = 0
    for s in range(len(starts)):
        for i in range(starts[s], starts[s] + lengths[s]):
            out[i] = values[n]
            n += 1
