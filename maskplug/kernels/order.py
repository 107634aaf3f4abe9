"""Random orders, and the attention masks that they define."""

from __future__ import annotations

from typing import Any

import numpy as np

from maskplug.kernels import kernel
from maskplug.kernels.philox import streams
from maskplug.kernels.select import below
from maskplug.types import IntArray, UintArray


@kernel
def ranks(keys: UintArray, offsets: IntArray) -> IntArray:
    """Return ranks 0 … n-1 for the n items of each row, every order equally likely.

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
    """Write consecutive values to the tokens of the spans."""
    n = 0
    for s in range(len(starts)):
        for i in range(starts[s], starts[s] + lengths[s]):
            out[i] = values[n]
            n += 1


@kernel
def unseen_into(out: np.ndarray[Any, Any], order: IntArray) -> None:
    """Write 1 if token i (row) may not attend to token j (column) of a sample, else 0.

    Args:
        out: shape (batch, length, length), output.
        order: shape (batch, length): ranks from 0, -1 for tokens that are not predicted.
    """
    for sample in range(len(order)):
        ranks = order[sample]
        for i in range(len(ranks)):
            rank = max(ranks[i], 0)  # tokens that are not predicted see what rank 0 sees
            row = out[sample, i]
            for j in range(len(ranks)):
                row[j] = rank <= ranks[j]
