"""Find phrases in texts with a trie in a hash table, and divide texts into phrases and words."""

from __future__ import annotations

import numpy as np

from maskplug.kernels import kernel
from maskplug.kernels.philox import longest, mix64, streams
from maskplug.kernels.select import below
from maskplug.types import BoolArray, IntArray, UintArray


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
