"""The internal form of every mask: for each query, the intervals of keys that it sees."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskplug.errors import OptionError
from maskplug.types import BoolArray, IntArray, readonly
from maskplug.validation.options import COUNT

Bounds = NDArray[np.int32]
#: The most cells of a matrix, of one byte each.
CELLS = 2**32


@dataclass(frozen=True, eq=False)
class Intervals:
    """Who may see whom: a query sees key k if k lies in one of its intervals [lo, hi).

    Where intervals alone would be too many, ``keys`` and ``step`` leave some of their keys out: k
    must also be one of ``keys``, and ``(k - phase) % step`` must be 0. All arrays are read-only,
    and a batch or head axis of 1 stands for all samples or heads.

    Attributes:
        lo, hi: int32 of shape (batch, heads, queries, k): sorted, disjoint, not touching; unused
            ones stand at the end and have ``lo == hi == n_keys``.
        n_keys: the number of keys.
        keys: bool of shape (batch, heads, n_keys), True = may be seen; None for all.
        step: at least 1.
        phase: int32 of shape (batch, 1, queries), each query's own place among the keys.
    """

    lo: Bounds
    hi: Bounds
    n_keys: int
    keys: BoolArray | None = None
    step: int = 1
    phase: Bounds | None = None

    @classmethod
    def of(cls, n_keys: int, lo: Any, hi: Any) -> Intervals:
        """Intervals in any order, which may overlap, be empty, or reach beyond the keys.

        Args:
            n_keys: the number of keys.
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
        """The runs of True in a mask of shape (batch, heads, queries, n_keys).

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
    def from_kernel(
        cls, n_keys: int, shape: tuple[int, ...], made: tuple[Bounds, Bounds, int]
    ) -> Intervals:
        """What a kernel gives: bounds of shape (rows, room), in order, and the most of any row.

        Args:
            n_keys: the number of keys.
            shape: (batch, heads, queries), whose product is the number of rows.
            made: lo, hi, and how many intervals the fullest row has.
        """
        lo, hi, most = made
        most = max(most, 1)
        a, b = (readonly(side[:, :most], np.int32).reshape(*shape, most) for side in (lo, hi))
        return cls(a, b, n_keys)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Batch, heads and queries, as far as they differ: a 1 may stand for many."""
        shapes = [self.lo.shape[:3]]
        shapes += [] if self.keys is None else [(*self.keys.shape[:2], 1)]
        shapes += [] if self.phase is None else [self.phase.shape]
        batch, heads, queries = np.broadcast_shapes(*shapes)
        return batch, heads, queries

    @property
    def plain(self) -> bool:
        """Whether the intervals say all, without ``keys`` and ``step``."""
        return self.keys is None and self.step == 1

    def __and__(self, other: Intervals) -> Intervals:
        """The keys that both see."""
        stepped = self.phase is not None and other.phase is not None
        if stepped and not np.array_equal(self.phase, other.phase):  # type: ignore[arg-type]
            other = other.expanded()
        phase = other.phase if self.phase is None else self.phase
        both = self._merged(other, "both")
        keys = self.keys if other.keys is None else other.keys
        if self.keys is not None and other.keys is not None:
            keys = readonly(self.keys & other.keys, np.bool_)
        # No two keys are COUNT apart: any greater step leaves the same key.
        step = min(math.lcm(self.step, other.step), COUNT)
        return replace(both, keys=keys, step=step, phase=phase)

    def __or__(self, other: Intervals) -> Intervals:
        """The keys that one or the other sees."""
        return self.expanded()._merged(other.expanded(), "either")

    def __invert__(self) -> Intervals:
        """The keys that are not seen."""
        from maskplug.kernels.intervals import rest

        full = self.expanded()
        shape = full.lo.shape
        lo, hi = (side.reshape(-1, shape[-1]) for side in (full.lo, full.hi))
        return self.from_kernel(self.n_keys, shape[:-1], rest(lo, hi, self.n_keys))

    def _merged(self, other: Intervals, how: str) -> Intervals:
        from maskplug.kernels import intervals

        if self.n_keys != other.n_keys:
            raise ValueError(f"{self.n_keys} keys and {other.n_keys} keys")
        shape = np.broadcast_shapes(self.lo.shape[:3], other.lo.shape[:3])
        sides = [s for form in (self, other) for s in form.spread(shape)]
        return self.from_kernel(self.n_keys, shape, getattr(intervals, how)(*sides, self.n_keys))

    def spread(self, shape: tuple[int, ...]) -> tuple[Bounds, Bounds]:
        """Both bounds for this batch, heads and queries, as kernels take them: (rows, k)."""
        k = self.lo.shape[-1]
        spread = (np.broadcast_to(side, (*shape, k)) for side in (self.lo, self.hi))
        lo, hi = (readonly(side.reshape(-1, k), np.int32) for side in spread)
        return lo, hi

    @cached_property
    def _all(self) -> tuple[Any, ...]:
        """What kernels take: bounds, keys, their row for each query, step and phase."""
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
        return *self.spread(shape), readonly(keys, np.bool_), *ends

    def expanded(self) -> Intervals:
        """The same by intervals alone, however many that takes."""
        from maskplug.kernels.intervals import grown, split

        if self.plain:
            return self
        return self.from_kernel(self.n_keys, self.shape, grown(split, *self._all, self.n_keys))

    @cached_property
    def counts(self) -> IntArray:
        """How many keys each query sees: int64 of shape (batch, heads, queries)."""
        from maskplug.kernels.intervals import count

        return readonly(count(*self._all), np.int64).reshape(self.shape)

    def dense(self) -> BoolArray:
        """The matrix: bool of shape (batch, heads, queries, n_keys), True = may see."""
        from maskplug.kernels.intervals import paint

        if (cells := math.prod(self.shape) * self.n_keys) > CELLS:
            raise OptionError(
                f"a matrix of shape {(*self.shape, self.n_keys)} has {cells:,} cells; the limit is "
                f"{CELLS:,}. block_mask, mask_mod, flashmask and intervals need no matrix"
            )
        out = np.zeros((math.prod(self.shape), self.n_keys), np.bool_)
        paint(out, *self._all)
        return out.reshape(*self.shape, self.n_keys)

    def only(self, keys: BoolArray) -> Intervals:
        """Without all keys but these, bool of shape (batch, heads, n_keys)."""
        every = Intervals.of(self.n_keys, [[[[0]]]], [[[[self.n_keys]]]])
        return self & replace(every, keys=readonly(keys, np.bool_))

    def every(self, step: int, phase: Any) -> Intervals:
        """Without all keys but each ``step``-th, counted from ``phase``: (batch, 1, queries)."""
        every = Intervals.of(self.n_keys, [[[[0]]]], [[[[self.n_keys]]]])
        return self & replace(every, step=step, phase=readonly(phase, np.int32))

    def to_lists(self) -> list[Any]:
        """All intervals as nested lists of pairs, for looking at."""
        plain = self.expanded()
        pairs = np.stack([plain.lo, plain.hi], -1).tolist()
        return [
            [[[(a, b) for a, b in row if a < b] for row in head] for head in sample]
            for sample in pairs
        ]
