"""Look up rows of ids in hash tables: entries of a dictionary, and phrases in texts."""

from __future__ import annotations

import numpy as np

from maskplug.kernels import kernel
from maskplug.kernels.philox import GOLDEN, longest, mix64, streams
from maskplug.kernels.select import below
from maskplug.types import BoolArray, IntArray, UintArray


@kernel
def place_of(ids: IntArray, slots: int) -> int:
    """Return the first slot for these ids in a table of ``slots``, a power of two."""
    state = np.uint64(len(ids))
    for i in range(len(ids)):
        state = mix64(state ^ (np.uint64(ids[i]) + GOLDEN))
    return np.int64(state & np.uint64(slots - 1))  # type: ignore[return-value]


@kernel
def build_table(ids: IntArray, offsets: IntArray, slots: int) -> IntArray:
    """Return a hash table of the rows of ``ids``: the index of a row, or -1, for each slot."""
    table = np.full(slots, -1, np.int64)
    for row in range(len(offsets) - 1):
        slot = place_of(ids[offsets[row] : offsets[row + 1]], slots)
        while table[slot] >= 0:
            slot = (slot + 1) & (slots - 1)
        table[slot] = row
    return table


@kernel
def equal(a: IntArray, b: IntArray) -> bool:
    """Return whether two rows have the same ids."""
    if len(a) != len(b):
        return False
    for i in range(len(a)):  # noqa: SIM110 - compiled
        if a[i] != b[i]:
            return False
    return True


@kernel
def look_up(
    text: IntArray,
    starts: IntArray,
    lengths: IntArray,
    ids: IntArray,
    offsets: IntArray,
    table: IntArray,
) -> IntArray:
    """Return the index of the row of ``ids`` that equals each span of ``text``, or -1."""
    entries = np.full(len(starts), -1, np.int64)
    for s in range(len(starts)):
        span = text[starts[s] : starts[s] + lengths[s]]
        slot = place_of(span, len(table))
        while table[slot] >= 0:
            row = table[slot]
            if equal(ids[offsets[row] : offsets[row + 1]], span):
                entries[s] = row
                break
            slot = (slot + 1) & (len(table) - 1)
    return entries


@kernel
def slot_of(edges: IntArray, edge: int) -> np.int64:
    """Return the slot of an edge, or the free slot for it; ``len(edges)`` is a power of two."""
    last = np.uint64(len(edges) - 1)
    slot = np.int64(mix64(np.uint64(edge)) & last)
    while edges[slot] != -1 and edges[slot] != edge:
        slot = np.int64(np.uint64(slot + 1) & last)
    return slot


@kernel
def build_trie(ids: IntArray, offsets: IntArray) -> tuple[IntArray, IntArray, BoolArray]:
    """Return a trie of rows of ids: edges, the node of each edge, and the nodes that end a row.

    An edge is ``node << 32 | id``; node 0 is the root. At most half of the table is used.
    """
    size = 2
    while size < 2 * len(ids):
        size *= 2
    edges = np.full(size, -1, np.int64)
    nodes = np.zeros(size, np.int64)
    ends = np.zeros(len(ids) + 1, np.bool_)
    count = 1
    for row in range(len(offsets) - 1):
        node = 0
        for i in range(offsets[row], offsets[row + 1]):
            edge = node << 32 | ids[i]
            slot = slot_of(edges, edge)
            if edges[slot] == -1:
                edges[slot] = edge
                nodes[slot] = count
                count += 1
            node = nodes[slot]
        ends[node] = True
    return edges, nodes, ends[:count].copy()


@kernel
def match(
    ids: IntArray,
    starts: IntArray,
    lengths: IntArray,
    offsets: IntArray,
    edges: IntArray,
    nodes: IntArray,
    ends: BoolArray,
) -> IntArray:
    """Return for each word the number of words of the longest phrase that starts there, or 0.

    Phrases start and end at word boundaries, and contain only tokens of words.
    """
    matches = np.zeros(len(starts), np.int64)
    for row in range(len(offsets) - 1):
        for first in range(offsets[row], offsets[row + 1]):
            node = 0
            for word in range(first, offsets[row + 1]):
                start = starts[word]
                if word > first and start != starts[word - 1] + lengths[word - 1]:
                    break
                for i in range(start, start + lengths[word]):
                    slot = slot_of(edges, node << 32 | ids[i])
                    node = nodes[slot] if edges[slot] != -1 else -1
                    if node < 0:
                        break
                if node < 0:
                    break
                if ends[node]:
                    matches[first] = word - first + 1
    return matches


@kernel
def segment(
    keys: UintArray, matches: IntArray, starts: IntArray, lengths: IntArray, offsets: IntArray
) -> tuple[IntArray, IntArray, IntArray]:
    """Return starts, lengths and row offsets of the units: phrases, and words outside of them.

    Phrases of ``matches`` (see :func:`match`) inside longer ones are ignored. Overlapping ones are
    visited in random order, and each is kept unless it overlaps one that was kept before.
    """
    most = longest(offsets)
    counts = np.zeros(len(offsets), np.int64)
    outer = matches.copy()
    for row in range(len(keys)):
        reach = offsets[row]
        for word in range(offsets[row], offsets[row + 1]):
            if matches[word] < 2 or word + matches[word] <= reach:
                outer[word] = 0
            else:
                reach = word + matches[word]
                counts[row + 1] += 1
    rows = np.cumsum(counts)
    drawn = streams(keys, rows, 0)
    order = np.empty(most, np.int64)
    taken = np.zeros(len(starts), np.bool_)
    for row in range(len(keys)):
        count = 0
        for word in range(offsets[row], offsets[row + 1]):
            if outer[word]:
                order[count] = word
                count += 1
        for i in range(count):
            j = i + below(drawn[rows[row] + i], count - i)
            first = order[j]
            order[j] = order[i]
            free = True
            for word in range(first, first + outer[first]):
                free &= not taken[word]
            if free:
                taken[first : first + outer[first]] = True
            else:
                outer[first] = 0
    out_starts = np.empty(len(starts), np.int64)
    out_lengths = np.empty(len(starts), np.int64)
    bounds = np.zeros(len(offsets), np.int64)
    n = 0
    for row in range(len(keys)):
        word = offsets[row]
        while word < offsets[row + 1]:
            last = word + max(outer[word], 1) - 1
            out_starts[n] = starts[word]
            out_lengths[n] = starts[last] + lengths[last] - starts[word]
            n += 1
            word = last + 1
        bounds[row + 1] = n
    return out_starts[:n], out_lengths[:n], bounds
