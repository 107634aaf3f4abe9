"""Overwrite, replace, insert and rearrange tokens, and collect the selected ones.

Output arrays are allocated by numpy, which requests huge pages for large arrays; the first write to
them is several times faster.
"""

from __future__ import annotations

import numpy as np

from maskplug.kernels import inlined, kernel
from maskplug.kernels.philox import SHIFT, fill, room
from maskplug.types import BoolArray, IntArray, UintArray, Words

#: Orders of :func:`rearrange`.
LEFT, PREFIX_FIRST, SUFFIX_FIRST = 0, 1, 2


@inlined
def append(
    out: IntArray, sources: IntArray, n: np.int64, ids: IntArray, start: int, stop: int
) -> np.int64:
    """Write ``ids[start:stop]`` and their positions from place ``n`` on; return the next place.

    This form of the loop is the fastest for runs of any length; most are short.
    """
    at = np.uint64(n)
    for i in range(start, stop):
        out[at] = ids[np.uint64(i)]
        sources[at] = i
        at += np.uint64(1)
    return np.int64(at)


@inlined
def append_new(out: IntArray, sources: IntArray, n: np.int64, token: int) -> np.int64:
    """Write a token without a source at place ``n``; return the next place."""
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
    """Replace every span with its tokens of ``written``: write ids and sources, return row offsets.

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
    """Collect each row's selected tokens, span by span: write ids and sources, return row offsets.

    ``heads`` holds one id to write before each span, or is empty. Every row ends with the id
    ``end``, unless it is negative.
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
    """Return the first ids, in order, for the spans of every row."""
    out = np.empty(offsets[-1], np.int64)
    for row in range(len(offsets) - 1):
        for k in range(offsets[row], offsets[row + 1]):
            out[k] = ids[k - offsets[row]]
    return out


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


@kernel
def most_tokens(lengths: IntArray, offsets: IntArray) -> int:
    """Return the maximum number of selected tokens in a row."""
    most = 0
    for row in range(len(offsets) - 1):
        size = 0
        for s in range(offsets[row], offsets[row + 1]):
            size += lengths[s]
        most = max(most, size)
    return most


@kernel
def groups(
    places: UintArray,
    numbers: Words,
    starts: IntArray,
    lengths: IntArray,
    first: int,
    end: int,
    begins: BoolArray,
    apart: bool,
) -> int:
    """Write the position and the group of each token of these spans; return the number of tokens.

    A group starts at the first token of a span and wherever ``begins`` is True; ``begins`` may be
    empty. If ``apart``, each token is a group.
    """
    count = np.uint64(0)
    group = -1
    for s in range(first, end):
        start = starts[s]
        for i in range(start, start + lengths[s]):
            group += int(apart or i == start or (len(begins) > 0 and begins[i]))
            places[count] = i
            numbers[count] = group
            count += np.uint64(1)
    return np.int64(count)  # type: ignore[return-value]


@kernel
def mix(
    out: IntArray,
    starts: IntArray,
    lengths: IntArray,
    offsets: IntArray,
    begins: BoolArray,
    apart: bool,
    kind_keys: UintArray,
    id_keys: UintArray,
    mask_below: np.uint64,
    random_below: np.uint64,
    mask_id: int,
    ordinary: IntArray,
) -> None:
    """Overwrite ``out`` in place with one decision per group; see :func:`groups`.

    Thresholds are probabilities times 2**32; the second one is cumulative. There must be at least
    one ordinary id.
    """
    most = most_tokens(lengths, offsets)
    places = np.empty(most, np.uint64)
    numbers = np.empty(most, np.uint32)
    kinds = room(most)
    ids = room(most)
    for row in range(len(kind_keys)):
        size = groups(
            places, numbers, starts, lengths, offsets[row], offsets[row + 1], begins, apart
        )
        fill(kinds, size, kind_keys[row], 0)
        fill(ids, size, id_keys[row], 0)
        for k in range(size):
            # Compute all values, to avoid branches that are mispredicted at random.
            kind = np.uint64(kinds[numbers[k]])
            drawn = ordinary[(np.uint64(ids[k]) * np.uint64(len(ordinary))) >> SHIFT]
            kept = drawn if kind < random_below else out[places[k]]
            out[places[k]] = mask_id if kind < mask_below else kept


@kernel
def copy_spans(out: IntArray, ids: IntArray, starts: IntArray, lengths: IntArray) -> None:
    """Copy the ids of the spans to the same positions of ``out``."""
    for s in range(len(starts)):
        for i in range(starts[s], starts[s] + lengths[s]):
            out[i] = ids[i]
