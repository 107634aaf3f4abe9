"""The content of a picture: what each drawn cell shows, the counts below it, and the legend."""

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


#: What a drawn cell shows. FEW (up to 1/3), SOME (up to 2/3) or MOST of its queries and keys are
#: visible; LEAK is visible, but should be hidden; FIRST or SECOND is visible in one of two masks
#: only, EACH stands for both. A cell that stands for many shows the highest mark that applies.
Mark = IntEnum("Mark", "HIDDEN FEW SOME MOST VISIBLE LEAK FIRST SECOND EACH", start=0)


class Look(NamedTuple):
    """How a mark looks in a terminal and in a file; ``agreed`` is for comparisons of two masks."""

    legend: str
    text: str
    style: str
    colour: str
    agreed: str = ""


#: In the order of the legend. Colours also differ in lightness, for prints without colour.
LOOKS = {
    Mark.VISIBLE: Look("visible", "██", "cyan", "#2f71a8", "#76808c"),
    Mark.MOST: Look("more than 2/3 visible", "▓▓", "cyan", "#6399c5", "#959ea8"),
    Mark.SOME: Look("1/3 to 2/3", "▒▒", "cyan", "#94bbda", "#b1b8c0"),
    Mark.FEW: Look("less than 1/3", "░░", "cyan", "#c2d8ea", "#ccd1d7"),
    Mark.LEAK: Look("leak", "!!", "bold white on red", "#d55e00"),
    Mark.FIRST: Look("only {}", "AA", "bold black on yellow", "#0072b2"),
    Mark.SECOND: Look("only {}", "BB", "bold white on magenta", "#f5c710"),
    Mark.EACH: Look("some of each", "AB", "bold white on red", "#5b2a86"),
    Mark.HIDDEN: Look("hidden", "· ", "dim", "#e4e8ed"),
}


@dataclass(frozen=True, eq=False)
class Frame:
    """One mask, or two of the same shape to compare.

    Attributes:
        visible: bool of shape (queries, keys), True = may attend.
        other: the second mask, or None.
        leaks: visible cells that should be hidden, or None if that is unknown.
        real: the queries that are not padding: bool of shape (queries,), or True for all.
        caption: distinguishes it from other frames, for example ``t = 500``.
    """

    visible: BoolArray
    other: BoolArray | None = None
    leaks: BoolArray | None = None
    real: BoolArray | bool = True
    caption: str = ""

    @property
    def masks(self) -> tuple[BoolArray, ...]:
        """The mask, or both."""
        return (self.visible,) if self.other is None else (self.visible, self.other)

    def empty_rows(self, mask: BoolArray) -> BoolArray:
        """Return the queries without a visible key in a mask, padding excluded."""
        return np.asarray(~mask.any(1) & self.real)

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
    def colours(self) -> dict[Mark, str]:
        """The colour of each mark in a file; grey for cells in which two masks agree."""
        two = self.frames[0].other is not None
        return {mark: (two and look.agreed) or look.colour for mark, look in LOOKS.items()}

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
        used = {Mark.VISIBLE, Mark.HIDDEN}
        used |= {Mark(mark) for frame in self.frames for mark in np.unique(frame.marks(side))}
        names = {Mark.FIRST: self.names[0], Mark.SECOND: self.names[1]}
        texts = {mark: look.legend.format(names.get(mark)) for mark, look in LOOKS.items()}
        if self.frames[0].other is not None:
            used |= {Mark.FIRST, Mark.SECOND}
            texts |= {Mark.VISIBLE: "both", Mark.HIDDEN: "neither"}
        return {mark: text for mark, text in texts.items() if mark in used}

    def statistics(self, frame: Frame) -> list[str]:
        """Return the counts of a frame, one phrase each."""
        first, *second = (self._counts(frame, mask) for mask in frame.masks)
        if not second:
            return [f"{title}: {text}" for title, text in first.items()]
        (one, two), (a, b) = self.names, frame.masks
        return [
            f"only {one} {(a & ~b).sum()}, only {two} {(b & ~a).sum()}, both {(a & b).sum()}, "
            f"neither {(~a & ~b).sum()}",
            *(f"{title}: {one} {text}; {two} {second[0][title]}" for title, text in first.items()),
        ]

    def _counts(self, frame: Frame, mask: BoolArray) -> dict[str, str]:
        cells = f" ({mask.sum()} of {mask.size} cells)" if frame.other is None else ""
        rows = np.flatnonzero(frame.empty_rows(mask)).tolist()
        which = f" ({', '.join(map(str, rows[:6]))}{', …' if len(rows) > 6 else ''})"
        counts = {
            "visible": f"{mask.mean():.1%}{cells}",
            "empty rows": f"{len(rows)}{which if rows else ''}",
        }
        if frame.leaks is not None:
            counts["leaks"] = f"{frame.leaks.sum()} ({self.bounds})"
        if self.block is not None:
            none, part, full = np.bincount(block_kinds(mask, self.block).ravel(), minlength=3)
            counts[f"blocks of {self.block}"] = f"{full} full, {part} partial, {none} empty"
        return counts


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
    """Return the number of True cells in each square of ``side`` cells: int64."""
    rows = np.add.reduceat(cells, np.arange(0, cells.shape[0], side), axis=0, dtype=np.int64)
    counts: IntArray = np.add.reduceat(rows, np.arange(0, cells.shape[1], side), axis=1)
    return counts


def block_kinds(cells: BoolArray, block: int) -> Marks:
    """Return 0 (empty), 1 (partial) or 2 (full) for each block, see :class:`Blocks`."""
    kinds: Marks = Blocks.of(Intervals.of_mask(cells[None, None]), block).kinds[0, 0]
    return kinds
