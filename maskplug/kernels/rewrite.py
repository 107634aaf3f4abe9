"""Rows in which spans become other tokens, and rows of what was chosen.

The arrays to be written come from numpy: it asks for huge pages where they are large, which makes
them several times cheaper to write for the first time.
"""

from __future__ import annotations

import numpy as np

from maskplug.kernels import inlined, kernel
from maskplug.types import IntArray


@inlined
def append(
    out: IntArray, sources: IntArray, n: np.int64, ids: IntArray, start: int, stop: int
) -> np.int64:
    """Write ``ids[start:stop]`` and where they stood from place ``n`` on; returns the next place.

    Of several ways to write this loop the fastest for runs of any length: most are short.
    """
    at = np.uint64(n)
    for i in range(start, stop):
        out[at] = ids[np.uint64(i)]
        sources[at] = i
        at += np.uint64(1)
    return np.int64(at)


@inlined
def append_new(out: IntArray, sources: IntArray, n: np.int64, token: int) -> np.int64:
    """Write a token that stood nowhere at place ``n``; returns the next place."""
    out[np.uint64(n)] = token
    sources[np.uint64(n)] = -1
    return np.int64(n + 1)


@kernel
def rewrite(
    out: IntArray,
    sources: IntArray,
    ids: IntArray,
    offsets: IntArray,
    starts: IntArray,
    lengths: IntArray,
    spans: IntArray,
    written: IntArray,
    bounds: IntArray,
) -> IntArray:
    """Every span becomes its tokens of ``written``: writes ids and sources, returns row offsets.

    ``spans`` are the row offsets of the spans; span k becomes ``written[bounds[k]:bounds[k + 1]]``.
    A span of length 0 inserts before its start.
    """
    rows = np.zeros(len(offsets), np.int64)
    n = np.int64(0)
    for row in range(len(offsets) - 1):
        cursor = offsets[row]
        for k in range(spans[row], spans[row + 1]):
            n = append(out, sources, n, ids, cursor, starts[k])
            for w in range(bounds[k], bounds[k + 1]):
                n = append_new(out, sources, n, written[w])
            cursor = starts[k] + lengths[k]
        n = append(out, sources, n, ids, cursor, offsets[row + 1])
        rows[row + 1] = n
    return rows


@kernel
def gather_spans(
    out: IntArray,
    sources: IntArray,
    ids: IntArray,
    starts: IntArray,
    lengths: IntArray,
    spans: IntArray,
    heads: IntArray,
    end: int,
) -> IntArray:
    """Each row's chosen tokens, span by span: writes ids and sources, returns row offsets.

    With as many ``heads`` as there are spans, each span stands behind its own; without, ``heads``
    is empty. Every row ends with the id ``end``, unless that is negative.
    """
    rows = len(spans) - 1
    offsets = np.zeros(rows + 1, np.int64)
    n = np.int64(0)
    for row in range(rows):
        for k in range(spans[row], spans[row + 1]):
            if len(heads):
                n = append_new(out, sources, n, heads[k])
            n = append(out, sources, n, ids, starts[k], starts[k] + lengths[k])
        if end >= 0:
            n = append_new(out, sources, n, end)
        offsets[row + 1] = n
    return offsets


@kernel
def numbered(ids: IntArray, offsets: IntArray) -> IntArray:
    """The first ids for the spans of every row: one each, in their order."""
    out = np.empty(offsets[-1], np.int64)
    for row in range(len(offsets) - 1):
        for k in range(offsets[row], offsets[row + 1]):
            out[k] = ids[k - offsets[row]]
    return out
