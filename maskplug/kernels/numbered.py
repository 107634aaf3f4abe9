"""Keys with the same number as the query (documents, sentences, segments), or an earlier rank."""

from __future__ import annotations

import numpy as np

from maskplug.kernels import kernel
from maskplug.kernels.philox import mix64
from maskplug.types import BoolArray, Bounds, IntArray


@kernel
def first_run(number: int, numbers: IntArray, starts: IntArray, table: IntArray) -> int:
    """Return the slot of ``table`` that holds the first run of a number, or the free slot for it.

    Args:
        number: number of the run.
        numbers: number of each key.
        starts: first key of each run.
        table: runs by the hash of their number, -1 for free slots; its length is a power of two.
    """
    last = np.uint64(len(table) - 1)
    slot = np.int64(mix64(np.uint64(number)) & last)
    while table[slot] >= 0 and numbers[starts[table[slot]]] != number:
        slot = np.int64(np.uint64(slot + 1) & last)
    return slot  # type: ignore[return-value]


@kernel
def same(queries: IntArray, keys: IntArray, room: int) -> tuple[Bounds, Bounds, int]:
    """Return the runs of keys that have the query's number.

    Args:
        queries: (batch or 1, queries), a number for each query.
        keys: (batch or 1, n), a number for each key.
        room: maximum number of runs to store per row; see ``intervals.split``.

    Returns:
        The bounds of shape (batch * queries, room), and the maximum number of runs in a row.
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
        query_numbers = queries[sample if len(queries) > 1 else 0]
        runs = 0
        for key in range(n):
            if key == 0 or numbers[key] != numbers[key - 1]:
                starts[runs] = key
                runs += 1
        starts[runs] = n
        table[:] = -1
        for run in range(runs - 1, -1, -1):  # backwards, so that chains start at the first run
            slot = first_run(numbers[starts[run]], numbers, starts, table)
            later[run] = table[slot]
            table[slot] = run
        first = -1
        for query in range(n_queries):
            number = query_numbers[query]
            if query == 0 or number != query_numbers[query - 1]:
                first = table[first_run(number, numbers, starts, table)]
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


@kernel
def grouped(keys: IntArray, queries: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Number the documents of all rows; tokens of a row with the same number form one document.

    Args:
        keys: (batch, n), a number for each key.
        queries: (batch, m), a number for each query; m may be 0.

    Returns:
        The document of each key, (batch, n), and of each query, (batch, m); and the row of each
        document. Documents are counted row by row, in the order of their first token.
    """
    batch, n, m = len(keys), keys.shape[1], queries.shape[1]
    of_keys = np.empty((batch, n), np.int64)
    of_queries = np.empty((batch, m), np.int64)
    rows = np.empty(batch * (n + m), np.int64)
    numbers = np.empty(n + m, np.int64)
    places = np.arange(n + m)
    slots = 2
    while slots < 2 * (n + m):
        slots *= 2
    table = np.empty(slots, np.int64)
    before = 0
    for row in range(batch):
        table[:] = -1
        count = 0
        last = 0
        for token in range(n + m):
            number = keys[row, token] if token < n else queries[row, token - n]
            if token == 0 or number != numbers[last]:
                slot = first_run(number, numbers, places, table)
                if table[slot] < 0:
                    table[slot] = count
                    numbers[count] = number
                    rows[before + count] = row
                    count += 1
                last = table[slot]
            if token < n:
                of_keys[row, token] = before + last
            else:
                of_queries[row, token - n] = before + last
        before += count
    return of_keys, of_queries, rows[:before].copy()


@kernel
def members(
    documents: IntArray, real: BoolArray, count: int
) -> tuple[IntArray, IntArray, IntArray, IntArray, IntArray]:
    """Collect the tokens of each document.

    Args:
        documents: (batch, n), the document of each token.
        real: (batch or 1, n), False for padding.
        count: number of documents.

    Returns:
        ``offsets``, (count + 1,); ``places``, (batch * n,): document d has the tokens
        ``places[offsets[d]:offsets[d + 1]]`` of its row; ``ranks``, (batch, n), the index of each
        token in its document; and for each document the rank of its first token that is not padding
        and the rank after its last one, 0 and 0 if there is none.
    """
    batch, n = documents.shape
    offsets = np.zeros(count + 1, np.int64)
    for row in range(batch):
        for token in range(n):
            offsets[documents[row, token] + 1] += 1
    for document in range(count):
        offsets[document + 1] += offsets[document]
    places = np.empty(batch * n, np.int64)
    ranks = np.empty((batch, n), np.int64)
    first = np.zeros(count, np.int64)
    end = np.zeros(count, np.int64)
    used = np.zeros(count, np.int64)
    for row in range(batch):
        for token in range(n):
            document = documents[row, token]
            rank = used[document]
            places[offsets[document] + rank] = token
            ranks[row, token] = rank
            if real[row if len(real) > 1 else 0, token]:
                if end[document] == 0:
                    first[document] = rank
                end[document] = rank + 1
            used[document] = rank + 1
    return offsets, places, ranks, first, end


@kernel
def put_back(
    out_lo: Bounds,
    out_hi: Bounds,
    lo: Bounds,
    hi: Bounds,
    offset: int,
    rows: IntArray,
    keys: IntArray,
    key_places: IntArray,
    queries: IntArray,
    query_places: IntArray,
    shift: IntArray,
) -> int:
    """Write the intervals of documents at their positions in the rows.

    Args:
        out_lo, out_hi: (batch, heads, queries, room), output.
        lo, hi: (documents or 1, heads or 1, queries or 1, k), positions in the documents.
        offset: number of tokens of the row before the first query of ``out_lo``.
        rows: (documents,), their rows.
        keys: (documents, 2), start and end of each document in ``key_places``.
        key_places: position in the row of each key of a document.
        queries: (documents, 2), start and end of the requested queries in ``query_places``.
        query_places: position in the row of each query.
        shift: (documents,), index in ``query_places`` of the first query of ``lo``.

    Returns:
        The maximum number of intervals in a row, which may exceed ``room``.
    """
    room = out_lo.shape[3]
    most = 0
    for i in range(len(rows)):
        start = keys[i, 0]
        count = keys[i, 1] - start
        for head in range(out_lo.shape[1]):
            for at in range(queries[i, 0], queries[i, 1]):
                one = i if lo.shape[0] > 1 else 0
                two = head if lo.shape[1] > 1 else 0
                three = at - shift[i] if lo.shape[2] > 1 else 0
                query = query_places[at] - offset
                used = 0
                for j in range(lo.shape[3]):
                    key = lo[one, two, three, j]
                    end = min(hi[one, two, three, j], count)
                    while key < end:  # a document that is not contiguous gives several runs
                        first = key_places[start + key]
                        behind = end
                        if key_places[start + end - 1] - first != end - 1 - key:
                            behind = key + 1
                            while (
                                behind < end and key_places[start + behind] - first == behind - key
                            ):
                                behind += 1
                        if used < room:
                            out_lo[rows[i], head, query, used] = first
                            out_hi[rows[i], head, query, used] = first + behind - key
                        used += 1
                        key = behind
                most = max(most, used)
    return most


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
