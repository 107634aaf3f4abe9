"""Keys that precede the query in an order."""

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
    """Return the runs of keys without a rank, or with a lower rank than the query.

    Each row visits only the keys with a rank.

    Args:
        queries: (batch, queries), ranks; negative for none.
        keys: (batch, n), likewise.
        itself: (queries,), a key that is always visible to the query, or -1.
        room: maximum number of runs to store per row; see ``intervals.split``.

    Returns:
        The bounds of shape (batch * queries, room), and the maximum number of runs in a row.
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
                hidden = n  # the end of the run: the next hidden key, or the end of the row
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
