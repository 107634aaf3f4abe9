"""One mask of a picture: what each drawn cell shows, and the counts below it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from maskplug.attention.blocks import Blocks
from maskplug.attention.intervals import Intervals
from maskplug.errors import OptionError, TokenError
from maskplug.types import BoolArray, IntArray

Marks = NDArray[np.uint8]


class Mark(IntEnum):
    """What a drawn cell shows; a cell that stands for many shows the highest mark that applies."""

    HIDDEN = 0
    #: Some of many cells are visible: less than 1/3, up to 2/3, more.
    FEW = 1
    SOME = 2
    MOST = 3
    VISIBLE = 4
    #: Visible, but should be hidden.
    LEAK = 5
    #: Visible in one of two masks only; or, of many cells, some in each of them.
    FIRST = 6
    SECOND = 7
    EACH = 8


class Look(NamedTuple):
    """How a mark looks in a terminal (text and style) and in a file (colour)."""

    text: str
    style: str
    colour: str


#: Colours also differ in lightness, for prints without colour.
LOOKS = {
    Mark.HIDDEN: Look("· ", "dim", "#e4e8ed"),
    Mark.FEW: Look("░░", "cyan", "#c2d8ea"),
    Mark.SOME: Look("▒▒", "cyan", "#94bbda"),
    Mark.MOST: Look("▓▓", "cyan", "#6399c5"),
    Mark.VISIBLE: Look("██", "cyan", "#2f71a8"),
    Mark.LEAK: Look("!!", "bold white on red", "#d55e00"),
    Mark.FIRST: Look("AA", "bold black on yellow", "#0072b2"),
    Mark.SECOND: Look("BB", "bold white on magenta", "#f5c710"),
    Mark.EACH: Look("AB", "bold white on red", "#5b2a86"),
}
#: Grey for cells in which two masks agree.
AGREED = {
    Mark.FEW: "#ccd1d7",
    Mark.SOME: "#b1b8c0",
    Mark.MOST: "#959ea8",
    Mark.VISIBLE: "#76808c",
}


@dataclass(frozen=True, eq=False)
class Frame:
    """One mask, or two of the same shape to compare.

    Attributes:
        visible: bool of shape (queries, keys), True = may attend.
        other: the second mask, or None.
        leaks: visible cells that should be hidden, or None if that is unknown.
        real: the queries that are not padding: bool of shape (queries,), or None for all.
        caption: distinguishes it from other frames, for example ``t = 500``.
    """

    visible: BoolArray
    other: BoolArray | None = None
    leaks: BoolArray | None = None
    real: BoolArray | None = None
    caption: str = ""

    @property
    def masks(self) -> tuple[BoolArray, ...]:
        """The mask, or both."""
        return (self.visible,) if self.other is None else (self.visible, self.other)

    def empty_rows(self, mask: BoolArray) -> BoolArray:
        """Return the queries without a visible key in a mask, padding excluded."""
        empty = np.asarray(~mask.any(1))
        return empty if self.real is None else empty & self.real

    @property
    def empty(self) -> BoolArray:
        """The queries without a visible key in one of the masks, padding excluded."""
        return np.asarray(np.logical_or.reduce([self.empty_rows(mask) for mask in self.masks]))

    def marks(self, side: int = 1) -> Marks:
        """Return the :class:`Mark` of each drawn cell, which stands for ``side`` squared cells."""
        shown = np.logical_or.reduce(self.masks)
        share = pooled(shown, side) / pooled(np.ones_like(shown), side)
        limits = [np.finfo(np.float64).tiny, 1 / 3, 2 / 3, 1]
        marks = np.digitize(share, limits).astype(np.uint8)
        if self.leaks is not None:
            marks[pooled(self.leaks, side) > 0] = Mark.LEAK
        if self.other is not None:
            first = pooled(self.visible & ~self.other, side) > 0
            second = pooled(self.other & ~self.visible, side) > 0
            marks[first], marks[second], marks[first & second] = Mark.FIRST, Mark.SECOND, Mark.EACH
        return marks

    def statistics(self, names: tuple[str, str], bounds: str, block: int | None) -> list[str]:
        """Return the counts, one phrase each.

        Args:
            names: of the two masks.
            bounds: describes the limits of leaks.
            block: the block size, or None.
        """
        lines, shares = [], [f"{mask.mean():.1%}" for mask in self.masks]
        if self.other is None:
            shares = [f"{shares[0]} ({self.visible.sum()} of {self.visible.size} cells)"]
        else:
            a, b = self.masks
            lines.append(
                f"only {names[0]} {(a & ~b).sum()}, only {names[1]} {(b & ~a).sum()}, "
                f"both {(a & b).sum()}, neither {(~a & ~b).sum()}"
            )
        rows = [np.flatnonzero(self.empty_rows(mask)).tolist() for mask in self.masks]
        lines.append("visible: " + self._named(names, shares))
        lines.append("empty rows: " + self._named(names, [_listed(indices) for indices in rows]))
        if self.leaks is not None:
            lines.append(f"leaks: {self.leaks.sum()} ({bounds})")
        if block is not None:
            counts = [np.bincount(block_kinds(m, block).ravel(), minlength=3) for m in self.masks]
            texts = [f"{full} full, {part} partial, {none} empty" for none, part, full in counts]
            lines.append(f"blocks of {block}: " + self._named(names, texts))
        return lines

    def _named(self, names: tuple[str, str], texts: list[str]) -> str:
        if self.other is None:
            return texts[0]
        return "; ".join(f"{name} {text}" for name, text in zip(names, texts, strict=True))


@dataclass(frozen=True, eq=False, repr=False)
class Sheet:
    """What a picture shows, without its rendering: see :class:`maskplug.viz.picture.Picture`."""

    frames: tuple[Frame, ...]
    title: str = ""
    names: tuple[str, str] = ("A", "B")
    bounds: str = ""
    block: int | None = None
    queries: Sequence[str] | None = None
    keys: Sequence[str] | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse values that do not fit together."""
        shapes = {mask.shape for frame in self.frames for mask in frame.masks}
        if len(shapes) != 1 or 0 in min(shapes) or len(min(shapes)) != 2:
            raise TokenError(
                f"masks have the shapes {sorted(shapes)}; a picture needs masks of the same shape, "
                "with at least one query and one key"
            )
        if self.block is not None and self.block < 1:
            raise OptionError(f"block is {self.block}; it must be a whole number from 1 upwards")
        texts = zip(("queries", "keys"), (self.queries, self.keys), self.shape, strict=True)
        for axis, labels, count in texts:
            if labels is not None and len(labels) != count:
                raise TokenError(f"got {len(labels)} texts for {count} {axis}")

    @property
    def shape(self) -> tuple[int, int]:
        """The number of queries and keys."""
        queries, keys = self.frames[0].visible.shape
        return queries, keys

    def side(self, most: int) -> int:
        """Return the number of queries and keys per drawn cell, for at most ``most`` per side.

        A block is a whole number of drawn cells, or a drawn cell a whole number of blocks.

        Example:
            >>> Sheet((Frame(np.ones((512, 512), np.bool_)),), block=64).side(100)
            8
        """
        side = -(-max(self.shape) // max(most, 1))
        if self.block is None:
            return side
        if side > self.block:
            return -(-side // self.block) * self.block
        return next(s for s in range(side, self.block + 1) if self.block % s == 0)

    def legend(self, side: int) -> dict[Mark, str]:
        """Return the meaning of the marks in the picture."""
        two = self.frames[0].other is not None
        texts = {
            Mark.VISIBLE: "both" if two else "visible",
            Mark.MOST: "more than 2/3 visible",
            Mark.SOME: "1/3 to 2/3",
            Mark.FEW: "less than 1/3",
            Mark.LEAK: "leak",
            Mark.FIRST: f"only {self.names[0]}",
            Mark.SECOND: f"only {self.names[1]}",
            Mark.EACH: "some of each",
            Mark.HIDDEN: "neither" if two else "hidden",
        }
        used = {Mark.VISIBLE, Mark.HIDDEN} | ({Mark.FIRST, Mark.SECOND} if two else set())
        used |= {Mark(mark) for frame in self.frames for mark in np.unique(frame.marks(side))}
        return {mark: text for mark, text in texts.items() if mark in used}

    def statistics(self, frame: Frame) -> list[str]:
        """Return the counts of a frame, one phrase each."""
        return frame.statistics(self.names, self.bounds, self.block)


def short(text: str, longest: int = 16) -> str:
    """Return a token's text as a label of one line.

    Example:
        >>> short("two  lines", 8), short(" ", 8), short("hypotenuse", 8)
        ('two lin…', '␣', 'hypoten…')
    """
    line = " ".join(text.split()) or "␣"
    line = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)
    return line if len(line) <= longest else line[: longest - 1] + "…"


def pooled(cells: BoolArray, side: int) -> IntArray:
    """Return the number of True cells in each square of ``side`` cells: int64.

    Example:
        >>> pooled(np.tri(3, dtype=bool), 2).tolist()
        [[3, 0], [2, 1]]
    """
    rows = np.add.reduceat(cells, np.arange(0, cells.shape[0], side), axis=0, dtype=np.int64)
    counts: IntArray = np.add.reduceat(rows, np.arange(0, cells.shape[1], side), axis=1)
    return counts


def block_kinds(cells: BoolArray, block: int) -> Marks:
    """Return 0 (empty), 1 (partial) or 2 (full) for each block, see :class:`Blocks`.

    Example:
        >>> block_kinds(np.tri(4, dtype=bool), 2).tolist()
        [[1, 0], [2, 1]]
    """
    kinds: Marks = Blocks.of(Intervals.of_mask(cells[None, None]), block).kinds[0, 0]
    return kinds


def _listed(indices: list[int], limit: int = 6) -> str:
    more = ", …" if len(indices) > limit else ""
    which = f" ({', '.join(map(str, indices[:limit]))}{more})" if indices else ""
    return f"{len(indices)}{which}"
