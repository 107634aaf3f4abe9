"""From rows of intervals to columns: the runs of queries that each key is hidden from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maskplug.kernels import kernel
from maskplug.types import BoolArray, IntArray

Bounds = NDArray[np.int32]


@kernel
def hidden(
    lo: Bounds, hi: Bounds, keys: BoolArray, which: IntArray, queries: int, room: int
) -> tuple[Bounds, int, int]:
    """The runs of queries that do not see a key.

    Going down the rows, only keys that change sides are touched: the work is linear in the
    intervals and the runs.

    Args:
        lo, hi: (masks * queries, k), canonical intervals.
        keys: (m, n), the keys that may be seen at all.
        which: (masks,), the row of ``keys`` that holds for each mask.
        queries: of each mask.
        room: how many runs a key may have.

    Returns:
        The runs [start, end), (masks, n, room, 2), unused ones [queries, queries); and a mask and a
        key with more of them, where the work ended, or -1 and -1.
    """
    n, k = keys.shape[1], lo.shape[1]
    runs = np.full((len(which), n, room, 2), queries, np.int32)
    used = np.empty(n, np.int64)
    shut = np.empty(n, np.bool_)
    old = np.empty(2 * k, np.int64)  # lo, hi, lo, hi, … of the row before
    new = np.empty(2 * k, np.int64)
    for mask in range(len(which)):
        used[:] = 0
        shut[:] = False
        old[:] = n
        old[0] = 0
        for query in range(queries):
            row = mask * queries + query
            for i in range(k):
                new[2 * i] = lo[row, i]
                new[2 * i + 1] = hi[row, i]
            a = b = begun = 0
            while a < 2 * k or b < 2 * k:
                if b == 2 * k or (a < 2 * k and old[a] <= new[b]):
                    at = old[a]
                    a += 1
                else:
                    at = new[b]
                    b += 1
                if (a + b) % 2 == 0:  # between an odd and an even bound, one row sees and one not
                    for key in range(begun, at):
                        if not keys[which[mask], key]:
                            continue
                        if shut[key]:
                            runs[mask, key, used[key], 1] = query
                            used[key] += 1
                        elif used[key] == room:
                            return runs, mask, key
                        else:
                            runs[mask, key, used[key], 0] = query
                        shut[key] = not shut[key]
                begun = at
            old, new = new, old
        for key in range(n):
            if not keys[which[mask], key]:
                runs[mask, key, 0, 0] = 0
    return runs, -1, -1
