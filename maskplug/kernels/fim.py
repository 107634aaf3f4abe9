"""Rows whose middle moves to the end."""

from __future__ import annotations

import numpy as np

from maskplug.kernels import kernel
from maskplug.kernels.rewrite import append, append_new
from maskplug.types import IntArray

LEFT, PREFIX_FIRST, SUFFIX_FIRST = 0, 1, 2


@kernel
def rearrange(
    out: IntArray,
    sources: IntArray,
    ids: IntArray,
    edges: IntArray,
    kinds: IntArray,
    prefix: int,
    middle: int,
    suffix: int,
) -> IntArray:
    """Rearrange rows of five pieces: write ids and sources, return row offsets.

    ``edges[row]`` are the boundaries of the pieces: fixed start, prefix, middle, suffix, fixed end.
    ``kinds[row]`` is their order; ``LEFT`` leaves the row unchanged.
    """
    offsets = np.zeros(len(kinds) + 1, np.int64)
    # A row is a list of pieces and marks: p >= 0 is piece p, p < 0 is marks[-p - 1].
    order = np.empty(8, np.int64)
    marks = np.array([prefix, middle, suffix])
    n = np.int64(0)
    for row in range(len(kinds)):
        if kinds[row] == LEFT:
            count = 5
            for i in range(5):
                order[i] = i
        else:
            count = 8
            first = kinds[row] == PREFIX_FIRST
            order[0], order[1], order[7] = 0, -1, 4
            order[2], order[3], order[4] = (1, -3, 3) if first else (-3, 3, -2)
            order[5], order[6] = (-2, 2) if first else (1, 2)
        for piece in order[:count]:
            if piece < 0:
                n = append_new(out, sources, n, marks[-piece - 1])
            else:
                n = append(out, sources, n, ids, edges[row, piece], edges[row, piece + 1])
        offsets[row + 1] = n
    return offsets
