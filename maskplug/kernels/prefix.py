"""Insert one token at the start of each row."""

from __future__ import annotations

import numpy as np

from maskplug.kernels import kernel
from maskplug.types import IntArray


@kernel
def beginnings(ids: IntArray, offsets: IntArray, pad: int, bos: int) -> IntArray:
    """Return the position after leading ``pad`` ids and one ``bos`` of every row."""
    out = np.empty(len(offsets) - 1, np.int64)
    for row in range(len(out)):
        at, end = offsets[row], offsets[row + 1]
        while at < end and ids[at] == pad:
            at += 1
        if at < end and ids[at] == bos:
            at += 1
        out[row] = at
    return out


@kernel
def insert_one(
    ids: IntArray, offsets: IntArray, sources: IntArray, at: IntArray, token: int
) -> tuple[IntArray, IntArray, IntArray]:
    """Insert ``token`` before position ``at`` of every row; return ids, row offsets and sources.

    ``sources`` are those of the ids; an empty array means that no token has moved.
    """
    out = np.empty(len(ids) + len(at), np.int64)
    moved = np.empty(len(out), np.int64)
    rows = np.zeros(len(offsets), np.int64)
    for row in range(len(at)):
        for i in range(offsets[row], offsets[row + 1]):
            n = i + row + np.int64(i >= at[row])
            out[n] = ids[i]
            moved[n] = sources[i] if len(sources) > 0 else i
        out[at[row] + row] = token
        moved[at[row] + row] = -1
        rows[row + 1] = offsets[row + 1] + row + 1
    return out, rows, moved
