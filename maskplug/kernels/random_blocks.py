"""Random blocks for every block of a sequence."""

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
    """For every block others, distinct, all sets of them equally likely.

    Args:
        keys: the stream of each row.
        draw: the number of the draw.
        blocks: how many blocks each row has.
        wanted: how many others each of its blocks gets, up to ``most``; fewer if fewer are left.
        most: how many words a block has; it makes a block's others the same whatever is wanted.
        around: the blocks so near to a block are not among its others, by row.
        ends: nor are so many blocks at either end, which get none themselves, by row.

    Returns:
        (rows, most blocks of a row, most), in the order of the draws; -1 where there is none.
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
                while at < j and taken[at] <= other:  # those taken are sorted: step over them
                    other += 1
                    at += 1
                for k in range(j, at, -1):
                    taken[k] = taken[k - 1]
                taken[at] = other
                far = other + end
                out[row, i, j] = far + near if far >= first else far
    return out
