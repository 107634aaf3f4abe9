"""The internal form of every mask: for each query, intervals of visible keys."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from maskplug.errors import OptionError
from maskplug.types import BoolArray, Bounds, IntArray, readonly
from maskplug.validation.options import COUNT

#: Maximum number of cells of a matrix, of one byte each.
CELLS = 2**32


@dataclass(frozen=True, eq=False)
class Intervals:
    """A mask: key k is visible to a query if it is in one of the query's intervals [lo, hi).

    ``keys`` and ``step`` restrict this where intervals alone would be too many: k must also be one
    of ``keys``, and ``(k - phase) % step`` must be 0. All arrays are read-only, and an axis of
    length 1 is used for all samples, heads or queries.

    Attributes:
        lo, hi: int32 of shape (batch, heads, queries, k): sorted, disjoint, not touching; unused
            ones are at the end, with ``lo == hi == n_keys``.
        n_keys: number of keys.
        keys: bool of shape (batch, heads, n_keys), True = may be visible; None for all.
        step: at least 1.
        phase: int32 of shape (batch, 1, queries), each query's position among the keys.
    """

    lo: Bounds
    hi: Bounds
    n_keys: int
    keys: BoolArray | None = None
    step: int = 1
    phase: Bounds | None = None

    @classmethod
    def of(cls, n_keys: int, lo: Any, hi: Any) -> Intervals:
        """Return a mask from intervals in any order, which may overlap, be empty, or be too long.

        Args:
            n_keys: number of keys.
            lo, hi: integers of shape (batch, heads, queries, k).

        Example:
            >>> Intervals.of(9, [[[[6, -3, 1]]]], [[[[12, 2, 4]]]]).to_lists()
            [[[[(0, 4), (6, 9)]]]]
        """
        from maskplug.kernels.intervals import tidy

        lo, hi = np.broadcast_arrays(lo, hi)
        shape = lo.shape
        a, b = (readonly(side, np.int64).reshape(-1, shape[-1]) for side in (lo, hi))
        return cls.from_kernel(n_keys, shape[:-1], tidy(a, b, n_keys))

    @classmethod
    def of_mask(cls, mask: Any) -> Intervals:
        """Return a mask from a bool matrix of shape (batch, heads, queries, n_keys).

        Example:
            >>> Intervals.of_mask([[[[True, True, False, True]]]]).to_lists()
            [[[[(0, 2), (3, 4)]]]]
        """
        from maskplug.kernels.intervals import grown, runs

        mask = readonly(mask, np.bool_)
        n_keys = mask.shape[-1]
        return cls.from_kernel(
            n_keys, mask.shape[:-1], grown(runs, mask.reshape(math.prod(mask.shape[:-1]), n_keys))
        )

    @classmethod
    def of_equal(cls, queries: IntArray, keys: IntArray) -> Intervals:
        """Return a mask from one number per token: keys with the query's number are visible.

        Args:
            queries, keys: int64 of shape (batch or 1, queries) and (batch or 1, n_keys).
        """
        from maskplug.kernels.intervals import grown
        from maskplug.kernels.numbered import same

        shape = (max(len(queries), len(keys)), 1, queries.shape[1])
        bounds = grown(same, readonly(queries, np.int64), readonly(keys, np.int64))
        return cls.from_kernel(keys.shape[1], shape, bounds)

    @classmethod
    def from_kernel(
        cls, n_keys: int, shape: tuple[int, ...], bounds: tuple[Bounds, Bounds, int]
    ) -> Intervals:
        """Return a mask from the result of a kernel.

        Args:
            n_keys: number of keys.
            shape: (batch, heads, queries); the product is the number of rows.
            bounds: lo and hi, (rows, room), and the largest number of intervals of a row.
        """
        lo, hi, most = bounds
        most = max(most, 1)
        a, b = (readonly(side[:, :most], np.int32).reshape(*shape, most) for side in (lo, hi))
        return cls(a, b, n_keys)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Batch, heads and queries; 1 if all are the same."""
        shapes = [self.lo.shape[:3]]
        shapes += [] if self.keys is None else [(*self.keys.shape[:2], 1)]
        shapes += [] if self.phase is None else [self.phase.shape]
        batch, heads, queries = np.broadcast_shapes(*shapes)
        return batch, heads, queries

    @property
    def plain(self) -> bool:
        """Whether the mask has neither ``keys`` nor ``step``."""
        return self.keys is None and self.step == 1

    def __and__(self, other: Intervals) -> Intervals:
        """Return the keys that are visible in both masks."""
        stepped = self.phase is not None and other.phase is not None
        if stepped and not np.array_equal(self.phase, other.phase):  # type: ignore[arg-type]
            other = other.expanded()
        phase = other.phase if self.phase is None else self.phase
        both = self._merged(other, "both")
        keys = self.keys if other.keys is None else other.keys
        if self.keys is not None and other.keys is not None:
            keys = readonly(self.keys & other.keys, np.bool_)
        # No two keys are COUNT apart: any larger step has the same effect.
        step = min(math.lcm(self.step, other.step), COUNT)
        return replace(both, keys=keys, step=step, phase=phase)

    def __or__(self, other: Intervals) -> Intervals:
        """Return the keys that are visible in at least one mask."""
        return self.expanded()._merged(other.expanded(), "either")

    def __invert__(self) -> Intervals:
        """Return the keys that are not visible."""
        from maskplug.kernels.intervals import rest

        full = self.expanded()
        shape = full.lo.shape
        lo, hi = (side.reshape(-1, shape[-1]) for side in (full.lo, full.hi))
        return self.from_kernel(self.n_keys, shape[:-1], rest(lo, hi, self.n_keys))

    def _merged(self, other: Intervals, kernel: str) -> Intervals:
        from maskplug.kernels import intervals

        if self.n_keys != other.n_keys:
            raise ValueError(f"cannot combine masks of {self.n_keys} and of {other.n_keys} keys")
        shape = np.broadcast_shapes(self.lo.shape[:3], other.lo.shape[:3])
        sides = [side for mask in (self, other) for side in mask.rows(shape)]
        return self.from_kernel(self.n_keys, shape, getattr(intervals, kernel)(*sides, self.n_keys))

    def rows(self, shape: tuple[int, ...]) -> tuple[Bounds, Bounds]:
        """Return lo and hi for kernels: broadcast to a shape, as rows (rows, k)."""
        k = self.lo.shape[-1]
        sides = (np.broadcast_to(side, (*shape, k)) for side in (self.lo, self.hi))
        lo, hi = (readonly(side.reshape(-1, k), np.int32) for side in sides)
        return lo, hi

    @cached_property
    def kernel_arguments(self) -> tuple[Any, ...]:
        """The arguments of kernels: lo, hi, keys, the row of keys for each query, step, phase."""
        shape = self.shape
        rows = math.prod(shape)
        keys = np.zeros((1, 0), np.bool_)
        which = np.zeros(rows, np.int64)
        if self.keys is not None:
            keys = self.keys.reshape(math.prod(self.keys.shape[:2]), self.n_keys)
            number = np.arange(len(keys)).reshape(*self.keys.shape[:2], 1)
            which = np.broadcast_to(number, shape).reshape(-1)
        phase = np.zeros(rows, np.int32) if self.phase is None else self.phase
        phase = np.broadcast_to(phase, shape).reshape(-1) if phase.ndim > 1 else phase
        ends = readonly(which, np.int64), self.step, readonly(phase, np.int32)
        return *self.rows(shape), readonly(keys, np.bool_), *ends

    def expanded(self) -> Intervals:
        """Return the same mask without ``keys`` and ``step``, with as many intervals as needed."""
        from maskplug.kernels.intervals import grown, split

        if self.plain:
            return self
        return self.from_kernel(
            self.n_keys, self.shape, grown(split, *self.kernel_arguments, self.n_keys)
        )

    @cached_property
    def counts(self) -> IntArray:
        """The number of visible keys of each query: int64 of shape (batch, heads, queries)."""
        from maskplug.kernels.intervals import count

        return readonly(count(*self.kernel_arguments), np.int64).reshape(self.shape)

    def dense(self) -> BoolArray:
        """Return the matrix: bool, (batch, heads, queries, n_keys), True = may attend."""
        from maskplug.kernels.intervals import paint

        if (cells := math.prod(self.shape) * self.n_keys) > CELLS:
            raise OptionError(
                f"a matrix of shape {(*self.shape, self.n_keys)} has {cells:,} cells; the limit is "
                f"{CELLS:,}. block_mask, mask_mod and intervals need no matrix"
            )
        out = np.zeros((math.prod(self.shape), self.n_keys), np.bool_)
        paint(out, *self.kernel_arguments)
        return out.reshape(*self.shape, self.n_keys)

    def only(self, keys: BoolArray) -> Intervals:
        """Return the mask without all other keys: bool of shape (batch, heads, n_keys)."""
        every = Intervals.of(self.n_keys, [[[[0]]]], [[[[self.n_keys]]]])
        return self & replace(every, keys=readonly(keys, np.bool_))

    def every(self, step: int, phase: Any) -> Intervals:
        """Return the mask with every ``step``-th key from ``phase``: (batch, 1, queries)."""
        every = Intervals.of(self.n_keys, [[[[0]]]], [[[[self.n_keys]]]])
        return self & replace(every, step=step, phase=readonly(phase, np.int32))

    def to_lists(self) -> list[Any]:
        """Return all intervals as nested lists of pairs."""
        plain = self.expanded()
        pairs = np.stack([plain.lo, plain.hi], -1).tolist()
        return [
            [[[(a, b) for a, b in row if a < b] for row in head] for head in sample]
            for sample in pairs
        ]
