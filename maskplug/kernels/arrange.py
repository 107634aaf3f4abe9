"""Reorder units: permutations, rotations, short-range shuffles; and the masks of random orders."""

from __future__ import annotations

from typing import Any

import numpy as np

from maskplug.kernels import kernel
from maskplug.kernels.philox import fill, longest, room, streams
from maskplug.kernels.rewrite import append
from maskplug.kernels.select import below, sampled
from maskplug.types import IntArray, UintArray, Words


@kernel
def arrange(
    out: IntArray,
    sources: IntArray,
    ids: IntArray,
    offsets: IntArray,
    starts: IntArray,
    lengths: IntArray,
    units: IntArray,
    order: IntArray,
) -> None:
    """Write the rearranged rows, and the source of each token.

    ``units`` are the row offsets of the units; place k of a row gets its unit ``order[k]``, counted
    from the first unit of the row. Tokens between two places stay between them.
    """
    n = np.int64(0)
    for row in range(len(offsets) - 1):
        cursor = offsets[row]
        first, last = units[row], units[row + 1] - 1
        if last >= first and starts[last] + lengths[last] - starts[first] == last - first + 1:
            # Adjacent single tokens: a row without special tokens inside.
            n = append(out, sources, n, ids, cursor, starts[first])
            for k in range(first, last + 1):
                moved = starts[first] + order[k]
                out[n] = ids[moved]
                sources[n] = moved
                n += 1
            n = append(out, sources, n, ids, starts[last] + 1, offsets[row + 1])
            continue
        for k in range(first, last + 1):
            n = append(out, sources, n, ids, cursor, starts[k])
            moved = first + order[k]
            n = append(out, sources, n, ids, starts[moved], starts[moved] + lengths[moved])
            cursor = starts[k] + lengths[k]
        n = append(out, sources, n, ids, cursor, offsets[row + 1])


@kernel
def shuffle(values: IntArray, count: int, words: Words) -> None:
    """Shuffle the first ``count`` values, all orders equally likely.

    Source: Knuth, "The Art of Computer Programming" 2, section 3.4.2, algorithm P.
    """
    for i in range(count - 1, 0, -1):
        j = below(words[i], i + 1)
        values[i], values[j] = values[j], values[i]


@kernel
def permutations(keys: UintArray, offsets: IntArray, counts: IntArray) -> IntArray:
    """Return an order in which ``counts[row]`` random units of each row are permuted."""
    order = np.empty(offsets[-1], np.int64)
    most = longest(offsets)
    places = np.empty(most + 1, np.uint32)
    values = np.empty(most, np.int64)
    words = room(most)
    for row in range(len(keys)):
        row_order = order[offsets[row] : offsets[row + 1]]
        for i in range(len(row_order)):
            row_order[i] = i
        n = min(counts[row], len(row_order))
        if n == len(row_order):
            fill(words, n, keys[row], 1)
            shuffle(row_order, n, words)
            continue
        fill(words, len(row_order), keys[row], 0)
        sampled(places, words, len(row_order), n)
        for k in range(n):
            values[k] = places[k]
        fill(words, n, keys[row], 1)
        shuffle(values, n, words)
        for k in range(n):
            row_order[places[k]] = values[k]
    return order


@kernel
def rotations(keys: UintArray, offsets: IntArray, thresholds: UintArray) -> IntArray:
    """Return an order that starts at a random unit in rows whose word 0 is below the threshold."""
    order = np.empty(offsets[-1], np.int64)
    words = room(2)
    for row in range(len(keys)):
        first = offsets[row]
        count = offsets[row + 1] - first
        fill(words, 2, keys[row], 0)
        shift = below(words[1], count) if np.uint64(words[0]) < thresholds[row] else 0
        for i in range(count):
            order[first + i] = (i + shift) % count
    return order


@kernel
def shuffles(keys: UintArray, offsets: IntArray, distance: int) -> IntArray:
    """Return the units sorted by (index + a random number below ``distance``), stable.

    Insertion sort takes linear time: a unit passes fewer than ``distance`` others.
    """
    order = np.empty(offsets[-1], np.int64)
    most = longest(offsets)
    words = room(most)
    ranks = np.empty(most, np.int64)
    for row in range(len(keys)):
        first = offsets[row]
        count = offsets[row + 1] - first
        fill(words, count, keys[row], 0)
        for i in range(count):
            rank = (i << 32) + distance * np.int64(words[i])
            j = i
            while j > 0 and ranks[j - 1] > rank:
                ranks[j] = ranks[j - 1]
                order[first + j] = order[first + j - 1]
                j -= 1
            ranks[j] = rank
            order[first + j] = i
    return order


@kernel
def ranks(keys: UintArray, offsets: IntArray) -> IntArray:
    """Return ranks 0 … n-1 for the n items of each row, every order equally likely."""
    out = np.empty(offsets[-1], np.int64)
    words = streams(keys, offsets, 0)
    for row in range(len(keys)):
        first = offsets[row]
        count = offsets[row + 1] - first
        for i in range(count):
            out[first + i] = i
        shuffle(out[first:], count, words[first:])
    return out


@kernel
def scatter(out: IntArray, starts: IntArray, lengths: IntArray, values: IntArray) -> None:
    """Write consecutive values to the tokens of the spans."""
    n = 0
    for s in range(len(starts)):
        for i in range(starts[s], starts[s] + lengths[s]):
            out[i] = values[n]
            n += 1


@kernel
def unseen_into(out: np.ndarray[Any, Any], order: IntArray) -> None:
    """Write 1 if token i (row) may not attend to token j (column) of a sample, else 0.

    Args:
        out: shape (batch, length, length), output.
        order: shape (batch, length): ranks from 0, -1 for tokens that are not predicted.
    """
    for sample in range(len(order)):
        ranks = order[sample]
        for i in range(len(ranks)):
            rank = max(ranks[i], 0)  # tokens that are not predicted see what rank 0 sees
            row = out[sample, i]
            for j in range(len(ranks)):
                row[j] = rank <= ranks[j]
