"""A picture in a terminal: two characters a cell, which say the same without their colours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from typing import TYPE_CHECKING

import numpy as np

from maskplug.attention.pictures.frame import Frame, Mark, Marks
from maskplug.attention.pictures.picture import Picture, short

if TYPE_CHECKING:
    from rich.text import Text

#: Two characters and a style for each mark.
CELLS = {
    Mark.HIDDEN: ("· ", "dim"),
    Mark.SKIPPED: ("  ", ""),
    Mark.FEW: ("░░", "cyan"),
    Mark.SOME: ("▒▒", "cyan"),
    Mark.MOST: ("▓▓", "cyan"),
    Mark.VISIBLE: ("██", "cyan"),
    Mark.LEAK: ("!!", "bold white on red"),
    Mark.FIRST: ("AA", "bold black on yellow"),
    Mark.SECOND: ("BB", "bold white on magenta"),
    Mark.EACH: ("AB", "bold white on red"),
}
EMPTY = ("∅", "bold red")
#: The longest text on an axis, in characters, and the most rows.
LONGEST, ROWS = 12, 200
#: Between two frames; and where cells stand for many anyway, the most frames side by side, and the
#: width that each must have.
GAP, ABREAST, LEAST = 3, 3, 36


def lines(picture: Picture, width: int) -> Iterator[Text]:
    """The picture, line by line, for a page of so many characters; frames that fit stand abreast.

    Args:
        picture: any.
        width: of the page; a picture that is wider than it shows several cells as one.
    """
    from rich.text import Text

    yield from (Text(line, "bold") for line in picture.title.splitlines())
    abreast, layout = _fitting(picture, width)
    frames = picture.frames
    marks = [frame.marks(layout.side, layout.outlined) for frame in frames]
    for start in range(0, len(frames), abreast):
        group = slice(start, start + abreast)
        drawn = [layout.frame(f, m) for f, m in zip(frames[group], marks[group], strict=True)]
        for row in zip_longest(*drawn, fillvalue=Text()):
            line = Text()
            for number, piece in enumerate(row):
                line.append(" " * (number * (layout.width + GAP) - line.cell_len))
                line.append_text(piece)
            line.rstrip()
            yield line
        for frame in frames[group]:
            head = f"{frame.caption}: " if frame.caption else ""
            said = picture.words(frame)
            yield from ([Text(head + "; ".join(said))] if head else map(Text, said))
    found = np.unique(np.concatenate([m.ravel() for m in marks]))
    yield from legend(picture, found, layout.side, width)


def _fitting(picture: Picture, width: int) -> tuple[int, _Layout]:
    """How many frames stand abreast, and how they are laid out."""
    whole = _Layout(picture, 1)
    fit = (width + GAP) // (whole.width + GAP)
    if fit >= 1 and picture.shape[0] <= ROWS:
        return min(fit, len(picture.frames)), whole
    abreast = min(len(picture.frames), ABREAST, max((width + GAP) // (LEAST + GAP), 1))
    room = (width + GAP) // abreast - GAP
    most = min(max(picture.shape), ROWS, max(room // 2, 1))
    while most > 1:
        layout = _Layout(picture, picture.side(most))
        if layout.width <= room:
            return abreast, layout
        most -= 1
    return 1, _Layout(picture, picture.side(1))


def legend(picture: Picture, found: Marks, side: int, width: int) -> Iterator[Text]:
    """What the marks mean that are found in the picture, in lines of this width."""
    from rich.text import Text

    said = [
        Text.assemble((CELLS[mark][0].strip() or "blank:", CELLS[mark][1]), f" {words}")
        for mark, words in picture.legend({Mark(mark) for mark in found}).items()
    ]
    if any(frame.empty.any() for frame in picture.frames):
        said.append(Text.assemble(EMPTY, " sees nothing"))
    if side > 1:
        said.append(Text(f"a cell stands for {side} × {side}"))
    line = Text()
    for piece in said:
        if line and line.cell_len + 2 + piece.cell_len > width:
            yield line
            line = Text()
        line.append("  " if line else "").append_text(piece)
    yield line


@dataclass(frozen=True)
class _Layout:
    """Where everything stands when a drawn cell is ``side`` queries and keys."""

    picture: Picture
    side: int

    @property
    def outlined(self) -> int | None:
        """The size of the blocks, if drawn cells are no larger."""
        block = self.picture.block
        return block if block is not None and block >= self.side else None

    @cached_property
    def count(self) -> tuple[int, int]:
        """How many rows and columns are drawn."""
        queries, keys = self.picture.shape
        return -(-queries // self.side), -(-keys // self.side)

    @cached_property
    def margin(self) -> int:
        """The room for the texts of the rows, with a blank on either side."""
        return max(map(_cells, self.rows)) + 2

    @cached_property
    def rows(self) -> list[str]:
        """The text of each drawn row."""
        texts = self.picture.queries
        if texts is None or self.side > 1:
            return [str(row * self.side) for row in range(self.count[0])]
        return [short(text, LONGEST) for text in texts]

    @cached_property
    def columns(self) -> list[int]:
        """Where each column begins, and where the last ends; blocks have a line between them."""
        every = self.outlined
        step = every // self.side if every else self.count[1]
        return [2 * c + (c // step - (c == self.count[1] and c % step == 0) if every else 0)
                for c in range(self.count[1] + 1)]  # fmt: skip

    @property
    def width(self) -> int:
        """Of a frame, with the room for the mark of empty rows."""
        return self.margin + self.columns[-1] + 2

    def frame(self, frame: Frame, marks: Marks) -> list[Text]:
        """Caption, heading and rows of one frame."""
        from rich.text import Text

        indent = " " * self.margin
        out = [Text(indent + frame.caption, "bold")] if frame.caption else []
        out += [Text(indent + line, "dim") for line in self.heading()]
        bounds = range(0, len(frame.empty), self.side)
        empty = np.logical_or.reduceat(frame.empty, bounds)
        block = self.outlined
        for number, row in enumerate(marks):
            if block and number and number * self.side % block == 0:
                out.append(Text(indent + self.rule(), "dim"))
            label = self.rows[number]
            line = Text().append(" " * (self.margin - 1 - _cells(label)) + label + " ", "dim")
            for column, mark in enumerate(row):
                if block and column and column * self.side % block == 0:
                    line.append("│", "dim")
                line.append(*CELLS[Mark(mark)])
            if empty[number]:
                line.append(*EMPTY)
            out.append(line)
        return out

    def heading(self) -> Iterator[str]:
        """The texts of the keys from top to bottom, or the number of every so many."""
        texts = self.picture.keys
        if texts is not None and self.side == 1:
            stacks = [short(text, LONGEST) for text in texts]
            height = max(map(len, stacks))
            for level in range(height):
                line = ""
                for at, text in zip(self.columns, stacks, strict=False):
                    line += " " * (at - _cells(line))
                    line += text.rjust(height)[level]
                yield line
            return
        step = 1 if self.count[1] <= 10 and self.side == 1 else 4
        if self.outlined and self.outlined // self.side > 1:
            step = self.outlined // self.side
        line = ""
        for column in range(0, self.count[1], step):
            line += " " * (self.columns[column] - len(line)) + str(column * self.side)
        yield line

    def rule(self) -> str:
        """The line between blocks."""
        line = ["─"] * self.columns[-1]
        for before, at in zip(self.columns, self.columns[1:-1], strict=False):
            if at - before == 3:
                line[at - 1] = "┼"
        return "".join(line)


def _cells(text: str) -> int:
    """How wide a text is in a terminal."""
    from rich.cells import cell_len

    return cell_len(text)
