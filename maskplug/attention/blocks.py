"""The blocks of a mask: empty, partial or full, as FlexAttention uses them."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from operator import index
from typing import Any

import numpy as np

from maskplug.attention.intervals import Intervals
from maskplug.errors import OptionError, shortened
from maskplug.types import Bounds, Kinds, readonly
from maskplug.validation.options import COUNT

EMPTY, PARTIAL, FULL = 0, 1, 2


@dataclass(frozen=True, eq=False)
class Blocks:
    """The blocks of a mask; a batch or head axis of 1 is used for all samples or heads.

    Attributes:
        kinds: uint8 of shape (batch, heads, blocks of queries, blocks of keys): 0 if all cells are
            hidden, 1 if some are visible, 2 if all are. Cells beyond the last query or key count as
            hidden.
        block_size: queries and keys of a block.
    """

    kinds: Kinds
    block_size: tuple[int, int]

    @classmethod
    def of(cls, rows: Intervals, block_size: int | tuple[int, int] = 128) -> Blocks:
        """Return the blocks of a mask, computed from its intervals without the matrix.

        Args:
            rows: the mask.
            block_size: number of queries and keys of a block; one number for both, or a pair.

        Raises:
            OptionError: if the block size is not one or two positive integers.

        Example:
            >>> import maskplug
            >>> Blocks.of(maskplug.pattern("causal").intervals(6), 2).kinds[0, 0]
            array([[1, 0, 0], [2, 1, 0], [2, 2, 1]], dtype=uint8)
        """
        from maskplug.kernels.blocks import covered, strided

        size = _pair(block_size)
        batch, heads, queries = rows.shape
        lo, hi, keys, which, step, phase = rows.kernel_arguments
        which = readonly(which.reshape(batch * heads, queries)[:, :1].ravel(), np.int64)
        if not keys.shape[1]:
            keys = np.ones((1, rows.n_keys), np.bool_)
        if step == 1:
            sums = np.zeros((len(keys), rows.n_keys + 1), np.int64)
            np.cumsum(keys, axis=1, out=sums[:, 1:])
            kinds = covered(lo, hi, readonly(sums, np.int64), which, queries, *size)
        else:
            kinds = strided(lo, hi, readonly(keys, np.bool_), which, step, phase, queries, *size)
        return cls(readonly(kinds, np.uint8).reshape(batch, heads, *kinds.shape[1:]), size)

    def listed(self, kind: int, by_keys: bool = False) -> tuple[Bounds, Bounds]:
        """Return the blocks of one kind in each row of blocks, or in each column.

        Args:
            kind: EMPTY, PARTIAL or FULL.
            by_keys: whether to list blocks of queries for each block of keys.

        Returns:
            Their count, int32 of shape (batch, heads, rows); and their indices in ascending order,
            followed by those of all other blocks, (batch, heads, rows, columns).

        Example:
            >>> import maskplug
            >>> blocks = Blocks.of(maskplug.pattern("causal").intervals(6), 2)
            >>> numbers, indices = blocks.listed(FULL)
            >>> numbers[0, 0], indices[0, 0]
            (array([0, 1, 2], dtype=int32),
             array([[0, 1, 2], [0, 1, 2], [0, 1, 2]], dtype=int32))
        """
        from maskplug.kernels.blocks import listed

        kinds = self.kinds.swapaxes(2, 3) if by_keys else self.kinds
        masks = (prod(kinds.shape[:2]), *kinds.shape[2:])
        numbers, indices = listed(readonly(kinds, np.uint8).reshape(masks), kind)
        return numbers.reshape(kinds.shape[:3]), indices.reshape(kinds.shape)


def _pair(block_size: Any) -> tuple[int, int]:
    try:
        both = block_size if isinstance(block_size, (tuple, list)) else (block_size, block_size)
        queries, keys = map(index, both)
    except (TypeError, ValueError):
        queries = keys = 0
    if min(queries, keys) < 1 or max(queries, keys) > COUNT:
        raise OptionError(
            f"block_size is {shortened(block_size)}; it must be a whole number from 1 to "
            f"{COUNT:,}, or two of them: (queries, keys)"
        )
    return queries, keys
