"""Pictures of attention masks, in a terminal, a notebook or a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from maskplug.errors import OptionError, TokenError
from maskplug.types import BoolArray
from maskplug.viz.figure import form_of, installed, render
from maskplug.viz.frame import LOOKS, Frame, Mark, Sheet, pooled, short

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
        content = render(self, form_of(path))
        try:
            Path(path).write_bytes(content)
        except OSError as error:
            raise OptionError(f"{path} cannot be written: {error.strerror or error}") from None

    def _repr_svg_(self) -> str | None:
        """Return an image for notebooks; None, for text, without matplotlib."""
        return render(self, "svg").decode() if installed() else None

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
        grid = self._grid(width)
        abreast = max((width + GAP) // (grid.width + GAP), 1)
        for start in range(0, len(self.frames), abreast):
            group = self.frames[start : start + abreast]
            for row in zip_longest(*map(grid.lines, group), fillvalue=Text()):
                line = Text()
                for number, piece in enumerate(row):
                    line.append(" " * (number * (grid.width + GAP) - line.cell_len))
                    line.append_text(piece)
                line.rstrip()
                yield line
            for frame in group:
                lines = self.statistics(frame)
                if frame.caption:
                    lines = [f"{frame.caption}: " + "; ".join(lines)]
                yield from map(Text, lines)
        yield from map(Text, self.notes)
        yield from _legend_lines(self, grid.side, width)

    def _grid(self, width: int) -> _Grid:
        """Return the grid with the smallest cells that fits."""
        grid = _Grid(self, 1)
        if grid.width <= width and self.shape[0] <= ROWS:
            return grid
        abreast = min(len(self.frames), max((width + GAP) // (LEAST + GAP), 1))
        room = (width + GAP) // abreast - GAP
        for most in range(min(max(self.shape), ROWS, max(room // 2, 1)), 0, -1):
            grid = _Grid(self, self.side(most))
            if grid.width <= room:
                break
        return grid


class _Grid:
    """A frame as lines of text.

    Attributes:
        side: number of queries and keys per drawn cell.
        block: number of drawn cells per block; all if blocks are not separated.
        labels, margin: texts of the drawn rows, and the width of their column.
        columns: position of each drawn column, after the margin.
        width: number of characters, with the mark of empty rows.
    """

    def __init__(self, picture: Sheet, side: int) -> None:
        from rich.cells import cell_len

        queries, keys = (range(0, count, side) for count in picture.shape)
        self.picture, self.side = picture, side
        self.block = (picture.block or 0) // side or max(picture.shape)
        self.labels = [str(query) for query in queries]
        if picture.queries is not None and side == 1:
            self.labels = [short(text, 12) for text in picture.queries]
        self.margin = max(map(cell_len, self.labels)) + 2
        self.columns = [2 * column + column // self.block for column in range(len(keys))]
        self.width = self.margin + self.columns[-1] + 4

    def lines(self, frame: Frame) -> Iterator[Text]:
        """Yield caption, heading and rows of a frame."""
        from rich.text import Text

        marks, indent = frame.marks(self.side), " " * self.margin
        starts = range(0, len(self.columns), self.block)
        if frame.caption:
            yield Text(indent + frame.caption, "bold")
        yield from (Text(indent + line, "dim") for line in self._heading())
        rule = "┼".join("──" * len(self.columns[at : at + self.block]) for at in starts)
        separator = Text.assemble(("│", "dim"))
        empty = pooled(frame.empty[:, None], self.side)
        for number, (label, row) in enumerate(zip(self.labels, marks, strict=True)):
            if number and number % self.block == 0:
                yield Text(indent + rule, "dim")
            looks = [LOOKS[Mark(mark)][1:3] for mark in row]
            cells = separator.join(Text.assemble(*looks[at : at + self.block]) for at in starts)
            before = " " * (self.margin - 1 - Text(label).cell_len) + label + " "
            after = ("∅" if empty[number] else "", "bold red")
            yield Text.assemble((before, "dim"), cells, after)

    def _heading(self) -> Iterator[str]:
        """Yield the texts of the keys from top to bottom, or numbers."""
        from rich.cells import cell_len

        numbers = range(len(self.columns))
        if self.picture.keys is not None and self.side == 1:
            texts = [short(text, 12) for text in self.picture.keys]
            height = max(map(len, texts))
            levels = [*zip(*(text.rjust(height) for text in texts), strict=True)]
        else:
            step = 1 if len(numbers) <= 10 and self.side == 1 else 4
            step = self.block if (self.picture.block or 0) > self.side else step
            levels = [tuple("" if i % step else str(i * self.side) for i in numbers)]
        for level in levels:
            line = ""
            for at, piece in zip(self.columns, level, strict=True):
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
