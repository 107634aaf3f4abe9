"""Phrases of a list, found in a text: a trie in a hash table, and a text cut into units by it."""

from __future__ import annotations

import numpy as np

from maskplug.kernels import kernel
from maskplug.kernels.philox import longest, mix64, streams
from maskplug.kernels.select import below
from maskplug.types import BoolArray, IntArray, UintArray


@kernel
def slot_of(edges: IntArray, edge: int) -> np.int64:
    """Where an edge stands in the table, or where it would; ``len(edges)`` is a power of two."""
    last = np.uint64(len(edges) - 1)
    slot = np.int64(mix64(np.uint64(edge)) & last)
    while edges[slot] != -1 and edges[slot] != edge:
        slot = np.int64(np.uint64(slot + 1) & last)
    return slot


@kernel
def build_trie(ids: IntArray, offsets: IntArray) -> tuple[IntArray, IntArray, BoolArray]:
    """A trie of rows of ids: edges, the node that each leads to, and whether a row ends there.

    An edge is ``node << 32 | id``; node 0 is the root. At most half of the table is taken.
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
    """For each word, how many words the longest phrase has that begins there; 0 without any.

    Phrases begin and end with words, and no token that is part of no word stands inside.
    """
    found = np.zeros(len(starts), np.int64)
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
                    found[first] = word - first + 1
    return found


@kernel
def segment(
    keys: UintArray, found: IntArray, starts: IntArray, lengths: IntArray, offsets: IntArray
) -> tuple[IntArray, IntArray, IntArray]:
    """Starts, lengths and row offsets of the units: phrases, and the words outside of them.

    Of ``found`` (see :func:`match`), phrases inside of others do not count. Of those that overlap,
    some are kept: one after the other in random order, unless it overlaps one that is kept.
    """
    most = longest(offsets)
    counts = np.zeros(len(offsets), np.int64)
    outer = found.copy()
    for row in range(len(keys)):
        reach = offsets[row]
        for word in range(offsets[row], offsets[row + 1]):
            if found[word] < 2 or word + found[word] <= reach:
                outer[word] = 0
            else:
                reach = word + found[word]
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
