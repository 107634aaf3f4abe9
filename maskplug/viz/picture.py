"""Pictures of attention masks, in a terminal, a notebook or a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from maskplug.errors import OptionError, TokenError
from maskplug.types import BoolArray
from maskplug.viz.figure import form_of, installed, render
from maskplug.viz.frame import LOOKS, Frame, Mark, Sheet, short

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions
    from rich.text import Text

#: Maximum number of rows in a terminal.
ROWS = 200
#: Distance between frames, and minimum width of a frame with cells that stand for many.
GAP, LEAST = 3, 36


@dataclass(frozen=True, eq=False, repr=False)
class Picture(Sheet):
    """The masks of one sample and head: queries are rows, keys are columns.

    Created by :func:`maskplug.viz.pattern.picture` and :meth:`compare`. ``print`` and rich show it
    as text, notebooks as an image, and :meth:`save` writes it to a file.

    Attributes:
        frames: masks of the same shape, side by side, for example M(t) at several times.
        title: text above the frames.
        names: of the two masks that are compared.
        bounds: describes the limits of leaks.
        block: size of the blocks to outline, or None.
        queries, keys: texts of the axes, or None for numbers.
        notes: lines below the statistics.
    """

    @classmethod
    def of(cls, masks: Sequence[Any], captions: Sequence[str], title: str = "") -> Picture:
        """Return a picture of several masks side by side, of their first sample and head."""
        pairs = zip(masks, captions, strict=True)
        frames = tuple(Frame(select(mask), caption=caption) for mask, caption in pairs)
        return cls(frames, title)

    @classmethod
    def compare(
        cls,
        asked: Any,
        received: Any,
        labels: tuple[str, str] = ("asked", "received"),
        *,
        title: str = "",
        sample: int = 0,
        head: int = 0,
        block: int | None = None,
        queries: Sequence[str] | None = None,
        keys: Sequence[str] | None = None,
    ) -> Picture:
        """Return a picture of the difference between two masks.

        Args:
            asked, received: bool, True = may attend, of shape (queries, keys), (heads, queries,
                keys) or (batch, heads, queries, keys).
            labels: their names.
            title: text above the frame.
            sample, head: which to show; an axis of length 1 is used for all.
            block: size of the blocks to outline.
            queries, keys: texts of the axes.

        Raises:
            OptionError: if there is no such sample or head.
            TokenError: if the shapes of masks or texts do not fit together.

        Example:
            >>> print(Picture.compare([[True, False]], [[True, True]]))
               0 1
             0 ██BB
            only asked 0, only received 1, both 1, neither 0
            visible: asked 50.0%; received 100.0%
            empty rows: asked 0; received 0
            ██ both  AA only asked  BB only received  · neither
        """
        first, second = select(asked, sample, head), select(received, sample, head)
        if first.shape != second.shape:
            raise TokenError(
                f"{labels[0]} has shape {first.shape} and {labels[1]} {second.shape}; only masks "
                "of the same shape can be compared"
            )
        return cls((Frame(first, second),), title, labels, "", block, queries, keys)

    def save(self, path: str | Path) -> None:
        """Write the picture to a .svg, .png or .pdf file.

        Raises:
            OptionError: for another ending, or if the file cannot be written.
            PluginError: if matplotlib is not installed.
        """
        content = self.render(form_of(path))
        try:
            Path(path).write_bytes(content)
        except OSError as error:
            raise OptionError(f"{path} cannot be written: {error.strerror or error}") from None

    def render(self, form: str) -> bytes:
        """Return the picture as the content of a file: "svg", "png" or "pdf"."""
        return render(self, form)

    def _repr_svg_(self) -> str | None:
        """Return an image for notebooks; None, for text, without matplotlib."""
        return self.render("svg").decode() if installed() else None

    def text(self, width: int = 100) -> str:
        """Return the picture as text without colour, for a page of this many characters."""
        return "\n".join(line.plain.rstrip() for line in self._lines(width))

    def __repr__(self) -> str:
        return self.text()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        yield from self._lines(options.max_width)

    def _lines(self, width: int) -> Iterator[Text]:
        from rich.text import Text

        yield from (Text(line, "bold") for line in self.title.splitlines())
        side, abreast = self._layout(width)
        frames, size = self.frames, _width(self, side)
        for start in range(0, len(frames), abreast):
            group = frames[start : start + abreast]
            for row in zip_longest(*(_drawn(self, frame, side) for frame in group)):
                line = Text()
                for number, piece in enumerate(row):
                    line.append(" " * (number * (size + GAP) - line.cell_len))
                    line.append_text(piece or Text())
                line.rstrip()
                yield line
            for frame in group:
                lines = self.statistics(frame)
                yield from (
                    [Text(f"{frame.caption}: " + "; ".join(lines))]
                    if frame.caption
                    else map(Text, lines)
                )
        yield from map(Text, self.notes)
        yield from _legend_lines(self, side, width)

    def _layout(self, width: int) -> tuple[int, int]:
        """Return the number of queries per drawn cell, and of frames side by side."""
        abreast = (width + GAP) // (_width(self, 1) + GAP)
        if abreast >= 1 and self.shape[0] <= ROWS:
            return 1, min(abreast, len(self.frames))
        abreast = min(len(self.frames), max((width + GAP) // (LEAST + GAP), 1))
        room = (width + GAP) // abreast - GAP
        for most in range(min(max(self.shape), ROWS, max(room // 2, 1)), 1, -1):
            side = self.side(most)
            if _width(self, side) <= room:
                return side, abreast
        return self.side(1), 1


def select(masks: Any, sample: int = 0, head: int = 0) -> BoolArray:
    """Return the mask of one sample and head: bool of shape (queries, keys).

    Raises:
        OptionError: if there is no such sample or head; an axis of length 1 is used for all.
        TokenError: if the mask is not bool, or has another shape.
    """
    array = np.asarray(masks)
    if array.dtype != np.bool_ or not 2 <= array.ndim <= 4:
        raise TokenError(
            f"a mask is {array.dtype} of shape {array.shape}; it must be bool (True = may attend) "
            "of shape (queries, keys) or (batch, heads, queries, keys)"
        )
    array = array.reshape((1,) * (4 - array.ndim) + array.shape)
    for name, number, count in zip(("sample", "head"), (sample, head), array.shape, strict=False):
        if number < 0 or (count > 1 and number >= count):
            raise OptionError(f"{name} is {number}; there are {count}, counted from 0")
    selected: BoolArray = array[sample % array.shape[0], head % array.shape[1]]
    return selected


def _labels(picture: Picture, side: int) -> list[str]:
    """Return the text of each drawn row."""
    if picture.queries is None or side > 1:
        return [str(row) for row in range(0, picture.shape[0], side)]
    return [short(text, 12) for text in picture.queries]


def _margin(picture: Picture, side: int) -> int:
    from rich.cells import cell_len

    return max(map(cell_len, _labels(picture, side))) + 2


def _columns(picture: Picture, side: int) -> list[int]:
    """Return the position of each drawn column; blocks are separated by a line."""
    count = -(-picture.shape[1] // side)
    step = picture.block // side if picture.block and picture.block >= side else count
    return [2 * column + column // step for column in range(count)]


def _width(picture: Picture, side: int) -> int:
    """Return the width of a frame in a terminal, with the mark of empty rows."""
    return _margin(picture, side) + _columns(picture, side)[-1] + 4


def _drawn(picture: Picture, frame: Frame, side: int) -> Iterator[Text]:
    """Yield caption, heading and rows of a frame."""
    from rich.text import Text

    columns, margin = _columns(picture, side), _margin(picture, side)
    indent, marks = " " * margin, frame.marks(side)
    if frame.caption:
        yield Text(indent + frame.caption, "bold")
    yield from (Text(indent + line, "dim") for line in _heading(picture, side))
    rule = ["─"] * (columns[-1] + 2)
    starts = [at for before, at in pairwise(columns) if at - before == 3]
    for at in starts:
        rule[at - 1] = "┼"
    block = picture.block if picture.block and picture.block >= side else picture.shape[0]
    empty = np.logical_or.reduceat(frame.empty, range(0, len(frame.empty), side))
    for number, (label, row) in enumerate(zip(_labels(picture, side), marks, strict=True)):
        if number and number * side % block == 0:
            yield Text(indent + "".join(rule), "dim")
        line = Text(style="")
        line.append(" " * (margin - 1 - Text(label).cell_len) + label + " ", "dim")
        for at, mark in zip(columns, row, strict=True):
            line.append("│" if at in starts else "", "dim")
            line.append(*LOOKS[Mark(mark)][:2])
        if empty[number]:
            line.append("∅", "bold red")
        yield line


def _heading(picture: Picture, side: int) -> Iterator[str]:
    """Yield the texts of the keys from top to bottom, or numbers."""
    from rich.cells import cell_len

    columns = _columns(picture, side)
    if picture.keys is not None and side == 1:
        texts = [short(text, 12) for text in picture.keys]
        height = max(map(len, texts))
        stacks = [text.rjust(height) for text in texts]
    else:
        block = picture.block // side if picture.block and picture.block > side else 0
        step = block or (1 if len(columns) <= 10 and side == 1 else 4)
        height, stacks = 1, [str(i * side) if i % step == 0 else "" for i in range(len(columns))]
    for level in range(height):
        line = ""
        for at, text in zip(columns, stacks, strict=True):
            piece = text if height == 1 else text[level]
            line += " " * (at - cell_len(line) if piece else 0) + piece
        yield line


def _legend_lines(picture: Picture, side: int, width: int) -> Iterator[Text]:
    from rich.text import Text

    pieces = [
        Text.assemble((LOOKS[mark].text.strip(), LOOKS[mark].style), f" {text}")
        for mark, text in picture.legend(side).items()
    ]
    if any(frame.empty.any() for frame in picture.frames):
        pieces.append(Text.assemble(("∅", "bold red"), " empty row"))
    if side > 1:
        pieces.append(Text(f"a cell stands for {side} × {side}"))
    line = Text()
    for piece in pieces:
        if line and line.cell_len + 2 + piece.cell_len > width:
            yield line
            line = Text()
        line.append("  " if line else "").append_text(piece)
    yield line
