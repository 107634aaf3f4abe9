"""Keys that come before the query in some order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maskplug.kernels import kernel
from maskplug.types import IntArray

Bounds = NDArray[np.int32]


@kernel
def earlier(
    queries: IntArray, keys: IntArray, itself: IntArray, room: int
) -> tuple[Bounds, Bounds, int]:
    """The runs of keys without a rank, or with a lower one than the query has.

    Each row takes a look at the keys with a rank, not at all of them.

    Args:
        queries: (batch, queries), ranks; less than 0 for none.
        keys: (batch, n), likewise.
        itself: (queries,), a key that the query sees in any case, or -1.
        room: how many runs are kept of each row; see ``intervals.split``.

    Returns:
        The bounds of shape (batch * queries, room), and how many runs the fullest row has.
    """
    batch, n_queries = queries.shape
    n = keys.shape[1]
    lo = np.full((batch * n_queries, room), n, np.int32)
    hi = np.full((batch * n_queries, room), n, np.int32)
    most = 0
    for sample in range(batch):
        ranked = np.flatnonzero(keys[sample] >= 0)
        for query in range(n_queries):
            row = sample * n_queries + query
            at = used = 0
            for i in range(len(ranked) + 1):
                hidden = n  # what ends the run: the next hidden key, or the end
                if i < len(ranked):
                    hidden = ranked[i]
                    before = keys[sample, hidden] < queries[sample, query]
                    if before or hidden == itself[query]:
                        continue
                if at < hidden:
                    if used < room:
                        lo[row, used] = at
                        hi[row, used] = hidden
                    used += 1
                at = hidden + 1
            most = max(most, used)
    return lo, hi, most
