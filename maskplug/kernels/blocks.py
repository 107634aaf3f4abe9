"""Blocks of masks: empty, partial or full by row intervals, and the random blocks of BigBird."""

from __future__ import annotations

import numpy as np

from maskplug.kernels import kernel
from maskplug.kernels.philox import fill, room
from maskplug.kernels.select import below
from maskplug.types import BoolArray, Bounds, IntArray, Kinds, UintArray


@kernel
def covered(
    lo: Bounds, hi: Bounds, sums: IntArray, which: IntArray, queries: int, bq: int, bk: int
) -> Kinds:
    """Return the kind of every block: 0 = all hidden, 1 = some visible, 2 = all visible.

    Linear in the number of intervals and blocks: an interval adds the visible keys of its two outer
    blocks; the blocks in between are counted by an array of differences.

    Args:
        lo, hi: (masks * queries, k), canonical intervals.
        sums: (m, n + 1), number of allowed keys before each key.
        which: (masks,), the row of ``sums`` for each mask.
        queries: number per mask.
        bq, bk: queries and keys per block; missing cells of the last blocks count as hidden.

    Returns:
        (masks, blocks of queries, blocks of keys).
    """
    n = sums.shape[1] - 1
    down, across = -(-queries // bq), -(-n // bk)
    kinds = np.zeros((len(which), down, across), np.uint8)
    counts = np.empty(across, np.int64)
    covers = np.empty(across + 1, np.int64)  # queries, as differences to the block before
    k = lo.shape[1]
    for mask in range(len(which)):
        before = sums[which[mask]]
        for block in range(down):
            counts[:] = 0
            covers[:] = 0
            first = mask * queries + block * bq
            last = mask * queries + min(block * bq + bq, queries)
            for row in range(first, last):
                for i in range(k):
                    start, end = np.int64(lo[row, i]), np.int64(hi[row, i])
                    if start >= end:
                        break
                    left, right = start // bk, (end - 1) // bk
                    if left == right:
                        counts[left] += before[end] - before[start]
                        continue
                    counts[left] += before[(left + 1) * bk] - before[start]
                    counts[right] += before[end] - before[right * bk]
                    covers[left + 1] += 1
                    covers[right] -= 1
            rows = 0
            for at in range(across):
                rows += covers[at]
                count = counts[at]
                if rows > 0:
                    count += rows * (before[(at + 1) * bk] - before[at * bk])
                if count > 0:
                    kinds[mask, block, at] = 2 if count == bq * bk else 1
    return kinds


@kernel
def strided(
    lo: Bounds,
    hi: Bounds,
    keys: BoolArray,
    which: IntArray,
    step: int,
    phase: Bounds,
    queries: int,
    bq: int,
    bk: int,
) -> Kinds:
    """Return the same for masks with every ``step``-th key only, block by block.

    Args:
        lo, hi, queries, bq, bk: as for :func:`covered`.
        keys: (m, n), the allowed keys.
        which: (masks,), the row of ``keys`` for each mask.
        step, phase: a key is visible if ``(key - phase[row]) % step == 0``.
    """
    n = keys.shape[1]
    down, across = -(-queries // bq), -(-n // bk)
    kinds = np.zeros((len(which), down, across), np.uint8)
    counts = np.empty(across, np.int64)
    seen = np.zeros(n + step, np.int64)  # allowed keys up to here, in steps
    k = lo.shape[1]
    for mask in range(len(which)):
        for key in range(n):
            seen[step + key] = seen[key] + keys[which[mask], key]
        for block in range(down):
            counts[:] = 0
            first = mask * queries + block * bq
            last = mask * queries + min(block * bq + bq, queries)
            for row in range(first, last):
                for i in range(k):
                    start, end = np.int64(lo[row, i]), np.int64(hi[row, i])
                    while start < end:
                        here = start // bk
                        stop = np.int64(min((here + 1) * bk, end))
                        a = start + (phase[row] - start) % step
                        b = stop + (phase[row] - stop) % step
                        counts[here] += seen[b] - seen[a]
                        start = stop
            for at in range(across):
                if counts[at] > 0:
                    kinds[mask, block, at] = 2 if counts[at] == bq * bk else 1
    return kinds


@kernel
def listed(kinds: Kinds, kind: int) -> tuple[Bounds, Bounds]:
    """Return the blocks of one kind in each row of blocks, in order, followed by all others.

    Args:
        kinds: (masks, down, across).
        kind: which one.

    Returns:
        The count, (masks, down), and the indices of blocks, (masks, down, across).
    """
    masks, down, across = kinds.shape
    numbers = np.zeros((masks, down), np.int32)
    indices = np.empty((masks, down, across), np.int32)
    for mask in range(masks):
        for row in range(down):
            count = 0
            for at in range(across):
                count += kinds[mask, row, at] == kind
            numbers[mask, row] = count
            one, other = 0, count
            for at in range(across):
                if kinds[mask, row, at] == kind:
                    indices[mask, row, one] = at
                    one += 1
                else:
                    indices[mask, row, other] = at
                    other += 1
    return numbers, indices


@kernel
def random_blocks(
    keys: UintArray,
    draw: int,
    blocks: IntArray,
    wanted: IntArray,
    most: int,
    around: IntArray,
    ends: IntArray,
) -> IntArray:
    """Return distinct random blocks for every block; all sets are equally likely.

    Args:
        keys: the random stream of each row.
        draw: index of the draw.
        blocks: number of blocks of each row.
        wanted: number of random blocks per block, up to ``most``; fewer if not enough remain.
        most: number of random words per block, so that blocks do not depend on ``wanted``.
        around: blocks at most this far away are excluded, by row.
        ends: number of blocks at each end that are excluded and get no random blocks, by row.

    Returns:
        (rows, max blocks, most), in the order of the draws; -1 = none.
    """
    widest = max(1, blocks.max()) if len(blocks) else 1
    out = np.full((len(keys), widest, most), -1, np.int64)
    words = room(widest * most)
    taken = np.empty(most, np.int64)
    for row in range(len(keys)):
        n, end = blocks[row], ends[row]
        fill(words, n * most, keys[row], draw)
        for i in range(end, n - end):
            first = max(i - around[row], end)
            near = min(i + around[row] + 1, n - end) - first
            left = n - 2 * end - near
            for j in range(min(wanted[row], left, most)):
                other = below(words[i * most + j], left - j)
                at = 0
                while at < j and taken[at] <= other:  # skip blocks that are taken; they are sorted
                    other += 1
                    at += 1
                for k in range(j, at, -1):
                    taken[k] = taken[k - 1]
                taken[at] = other
                far = other + end
                out[row, i, j] = far + near if far >= first else far
    return out
