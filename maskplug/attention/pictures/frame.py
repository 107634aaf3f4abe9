"""One mask to look at: what each cell says, and what there is to count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from maskplug.attention.blocks import Blocks
from maskplug.attention.intervals import Intervals
from maskplug.types import BoolArray, IntArray

Marks = NDArray[np.uint8]


class Mark(IntEnum):
    """What a drawn cell says. Where it stands for many, it says the worst of what they say."""

    HIDDEN = 0
    #: Hidden, and so is the rest of its block: a kernel that works by blocks skips it.
    SKIPPED = 1
    #: Less than a third of many cells are visible, less than two thirds, not all.
    FEW = 2
    SOME = 3
    MOST = 4
    VISIBLE = 5
    #: Visible, and it should not be.
    LEAK = 6
    #: Visible to the first of two masks only, to the second only; and many cells, some of each.
    FIRST = 7
    SECOND = 8
    EACH = 9


def pooled(cells: BoolArray, side: int) -> IntArray:
    """How many cells of each square are True: int64; squares at the lower and right end are cut.

    Example:
        >>> pooled(np.tri(3, dtype=bool), 2).tolist()
        [[3, 0], [2, 1]]
    """
    rows = np.add.reduceat(cells, np.arange(0, cells.shape[0], side), axis=0, dtype=np.int64)
    counts: IntArray = np.add.reduceat(rows, np.arange(0, cells.shape[1], side), axis=1)
    return counts


def kinds(cells: BoolArray, block: int) -> Marks:
    """What each block is to a kernel that works by blocks: 0 = empty, 1 = partial, 2 = full.

    A block that reaches beyond the mask is never full: what it lacks counts as hidden.

    Example:
        >>> kinds(np.tri(4, dtype=bool), 2).tolist(), kinds(np.tri(3, dtype=bool), 2).tolist()
        ([[1, 0], [2, 1]], [[1, 0], [1, 1]])
    """
    found: Marks = Blocks.of(Intervals.of_mask(cells[None, None]), block).kinds[0, 0]
    return found


@dataclass(frozen=True, eq=False)
class Frame:
    """One mask, or two of the same shape to compare.

    Attributes:
        seen: bool of shape (queries, keys), True = may attend.
        other: the second mask, or None.
        leaks: visible cells that should not be, or None where nothing says which.
        real: bool of shape (queries,), True = no padding; None if there is none.
        caption: what sets it apart from the other frames, such as ``t = 500``.
    """

    seen: BoolArray
    other: BoolArray | None = None
    leaks: BoolArray | None = None
    real: BoolArray | None = None
    caption: str = ""

    @property
    def masks(self) -> tuple[BoolArray, ...]:
        """The mask, or both."""
        return (self.seen,) if self.other is None else (self.seen, self.other)

    @property
    def shown(self) -> BoolArray:
        """The cells that one or the other mask shows."""
        return self.seen if self.other is None else self.seen | self.other

    @property
    def empty(self) -> BoolArray:
        """The queries that see nothing in one of the masks, padding aside: bool, one each."""
        return np.asarray(np.logical_or.reduce([self.empty_in(mask) for mask in self.masks]))

    def empty_in(self, mask: BoolArray) -> BoolArray:
        """The queries that see nothing in this mask, padding aside: bool, one each."""
        empty = np.asarray(~mask.any(1))
        return empty if self.real is None else empty & self.real

    def marks(self, side: int = 1, block: int | None = None) -> Marks:
        """What to draw, :class:`Mark` by :class:`Mark`: uint8 of shape (queries, keys).

        Args:
            side: how many queries and keys each drawn cell stands for.
            block: the size of blocks; without it nothing is marked as skipped.
        """
        share = pooled(self.shown, side) / pooled(np.ones_like(self.shown), side)
        limits = [np.finfo(np.float64).tiny, 1 / 3, 2 / 3, 1]
        levels = np.array([Mark.HIDDEN, Mark.FEW, Mark.SOME, Mark.MOST, Mark.VISIBLE], np.uint8)
        out = levels[np.digitize(share, limits)]
        if block is not None and block >= side:
            empty = kinds(self.shown, block) == 0
            rows, keys = (np.arange(n) * side // block for n in out.shape)
            out[empty[np.ix_(rows, keys)]] = Mark.SKIPPED
        if self.leaks is not None:
            out[pooled(self.leaks, side) > 0] = Mark.LEAK
        if self.other is not None:
            first = pooled(self.seen & ~self.other, side) > 0
            second = pooled(self.other & ~self.seen, side) > 0
            out[first] = Mark.FIRST
            out[second] = Mark.SECOND
            out[first & second] = Mark.EACH
        return out

    def words(self, names: tuple[str, str], bounds: str, block: int | None) -> Iterator[str]:
        """The counts, a phrase each.

        Args:
            names: what the two masks are called.
            bounds: what no cell should be beyond, for leaks.
            block: the size of blocks, or None.
        """
        if self.other is None:
            shares = [f"{_share(self.seen)} ({self.seen.sum()} of {self.seen.size} cells)"]
        else:
            a, b = self.masks
            counts = ((a & ~b).sum(), (b & ~a).sum(), (a & b).sum(), (~a & ~b).sum())
            said = (f"only {names[0]}", f"only {names[1]}", "both", "neither")
            yield ", ".join(f"{what} {count}" for what, count in zip(said, counts, strict=True))
            shares = [_share(mask) for mask in self.masks]
        yield "visible: " + self._each(names, shares)
        yield "rows that see nothing: " + self._each(
            names, [_numbers(self.empty_in(mask)) for mask in self.masks]
        )
        if self.leaks is not None:
            yield f"leaks: {self.leaks.sum()} ({bounds})"
        if block is not None:
            found = [np.bincount(kinds(mask, block).ravel(), minlength=3) for mask in self.masks]
            yield f"blocks of {block}: " + self._each(
                names, [f"{full} full, {partial} partial, {none} empty"
                        for none, partial, full in found]
            )  # fmt: skip

    def _each(self, names: tuple[str, str], said: list[str]) -> str:
        """What is said of the mask; of two, with their names."""
        if self.other is None:
            return said[0]
        return "; ".join(f"{name} {what}" for name, what in zip(names, said, strict=True))


def _share(mask: BoolArray) -> str:
    return f"{mask.mean():.1%}"


def _numbers(rows: BoolArray, most: int = 6) -> str:
    """How many there are, and which."""
    found = np.flatnonzero(rows)
    which = ", ".join(map(str, found[:most])) + (", …" if len(found) > most else "")
    return f"{len(found)} ({which})" if len(found) else "0"
