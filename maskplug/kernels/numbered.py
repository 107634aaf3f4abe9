"""Keys that bear the query's number: documents, sentences, segments."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maskplug.arrays import IntArray
from maskplug.kernels import kernel
from maskplug.kernels.philox import mix64

Bounds = NDArray[np.int32]


@kernel
def first_run(number: int, numbers: IntArray, starts: IntArray, table: IntArray) -> int:
    """The slot of ``table`` that holds the first run of a number, or where it would stand.

    Args:
        number: of the run.
        numbers: of each key.
        starts: the first key of each run.
        table: runs by the hash of their number, -1 where there is none; as long as a power of two.
    """
    last = np.uint64(len(table) - 1)
    slot = np.int64(mix64(np.uint64(number)) & last)
    while table[slot] >= 0 and numbers[starts[table[slot]]] != number:
        slot = np.int64(np.uint64(slot + 1) & last)
    return slot  # type: ignore[return-value]


@kernel
def same(queries: IntArray, keys: IntArray, room: int) -> tuple[Bounds, Bounds, int]:
    """The runs of keys that bear the query's number.

    Args:
        queries: (batch or 1, queries), a number for each query.
        keys: (batch or 1, n), a number for each key.
        room: how many runs are kept of each row; see ``intervals.split``.

    Returns:
        The bounds of shape (batch * queries, room), and how many runs the fullest row has.
    """
    batch, n_queries, n = max(len(queries), len(keys)), queries.shape[1], keys.shape[1]
    lo = np.full((batch * n_queries, room), n, np.int32)
    hi = np.full((batch * n_queries, room), n, np.int32)
    starts = np.empty(n + 1, np.int64)  # run i is [starts[i], starts[i + 1])
    later = np.empty(n, np.int64)  # the next run of the same number, or -1
    slots = 2
    while slots < 2 * n:
        slots *= 2
    table = np.empty(slots, np.int64)
    most = 0
    for sample in range(batch):
        numbers = keys[sample if len(keys) > 1 else 0]
        wanted = queries[sample if len(queries) > 1 else 0]
        found = 0
        for key in range(n):
            if key == 0 or numbers[key] != numbers[key - 1]:
                starts[found] = key
                found += 1
        starts[found] = n
        table[:] = -1
        for run in range(found - 1, -1, -1):  # from the last, so that chains go from the first on
            slot = first_run(numbers[starts[run]], numbers, starts, table)
            later[run] = table[slot]
            table[slot] = run
        first = -1
        for query in range(n_queries):
            if query == 0 or wanted[query] != wanted[query - 1]:
                first = table[first_run(wanted[query], numbers, starts, table)]
                count = 0
                run = first
                while run >= 0:
                    count += 1
                    run = later[run]
                most = max(most, count)
            row = sample * n_queries + query
            used = 0
            run = first
            while run >= 0 and used < room:
                lo[row, used] = starts[run]
                hi[row, used] = starts[run + 1]
                used += 1
                run = later[run]
    return lo, hi, most
