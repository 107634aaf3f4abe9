"""Random blocks of BigBird."""

from __future__ import annotations

import numpy as np

from maskplug.kernels import kernel
from maskplug.kernels.philox import fill, room
from maskplug.kernels.select import below
from maskplug.types import IntArray, UintArray


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
