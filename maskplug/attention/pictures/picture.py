"""A picture of a mask, as a description that knows neither terminals nor files."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from maskplug.attention.pictures.frame import Frame, Mark
from maskplug.errors import OptionError, TokenError
from maskplug.types import BoolArray

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, ConsoleOptions
    from rich.text import Text


@dataclass(frozen=True, eq=False, repr=False)
class Picture:
    """What is to be seen of one sample and head: queries as rows, keys as columns.

    ``Pattern.picture`` and :meth:`compare` make one; printed by rich, or by a notebook, it shows
    itself, ``str`` gives the same without colour, and :meth:`save` writes it to a file.

    Attributes:
        frames: masks of one shape, side by side: several are M(t) at several times.
        title: stands above all.
        names: of the two masks that are compared.
        bounds: what no cell should be beyond, in words, for leaks.
        block: the size of the blocks to outline, or None.
        queries, keys: texts for the axes, one each; None for numbers.
    """

    frames: tuple[Frame, ...]
    title: str = ""
    names: tuple[str, str] = ("A", "B")
    bounds: str = ""
    block: int | None = None
    queries: tuple[str, ...] | None = None
    keys: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        """Refuse what does not fit together."""
        shapes = {mask.shape for frame in self.frames for mask in frame.masks}
        if len(shapes) != 1 or 0 in min(shapes) or len(min(shapes)) != 2:
            raise TokenError(
                f"masks of the shapes {sorted(shapes)}; a picture shows masks of one shape, with "
                "at least one query and one key"
            )
        if self.block is not None and self.block < 1:
            raise OptionError(f"block is {self.block}; it must be a whole number from 1 upwards")
        for what, texts, count in zip(
            ("queries", "keys"), (self.queries, self.keys), self.shape, strict=True
        ):
            if texts is not None and len(texts) != count:
                raise TokenError(f"there are {len(texts)} texts for {count} {what}")

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
        """Two masks and where they differ: the one asked for, and the one that a model received.

        Args:
            asked, received: bool, True = may attend, of shape (queries, keys), or with axes for
                samples and heads before them.
            labels: what they are called.
            title: stands above all.
            sample, head: which of them to show; an axis of 1 stands for all.
            block: the size of the blocks to outline.
            queries, keys: texts for the axes, one each.

        Raises:
            OptionError: when there is no such sample or head.
            TokenError: when the masks, or the texts, do not fit together.

        Example:
            >>> print(Picture.compare([[True, False]], [[True, True]]))
               0 1
             0 ██BB
            only asked 0, only received 1, both 1, neither 0
            visible: asked 50.0%; received 100.0%
            rows that see nothing: asked 0; received 0
            ██ both  AA only asked  BB only received  · neither
        """
        first, second = one(asked, sample, head), one(received, sample, head)
        if first.shape != second.shape:
            raise TokenError(
                f"{labels[0]} has the shape {first.shape} and {labels[1]} {second.shape}; masks to "
                "compare have as many queries and keys"
            )
        texts = (None if given is None else tuple(given) for given in (queries, keys))
        return cls((Frame(first, second),), title, labels, "", block, *texts)

    @property
    def shape(self) -> tuple[int, int]:
        """How many queries and keys there are."""
        queries, keys = self.frames[0].seen.shape
        return queries, keys

    @property
    def compares(self) -> bool:
        """Whether two masks are compared."""
        return self.frames[0].other is not None

    def side(self, most: int) -> int:
        """How many queries and keys a drawn cell must stand for, so that it is ``most`` a side.

        A block is divided evenly, or drawn cells are made of whole blocks.

        Example:
            >>> Picture((Frame(np.ones((512, 512), np.bool_)),), block=64).side(100)
            8
        """
        side = -(-max(self.shape) // max(most, 1))
        if self.block is None:
            return side
        if side > self.block:
            return -(-side // self.block) * self.block
        return next(s for s in range(side, self.block + 1) if self.block % s == 0)

    def legend(self, found: Collection[Mark]) -> dict[Mark, str]:
        """What marks mean in this picture: those that are found, and what it is always about."""
        first, second = self.names
        always = {Mark.VISIBLE, Mark.HIDDEN}
        always |= {Mark.FIRST, Mark.SECOND} if self.compares else set()
        said = {
            Mark.VISIBLE: "both" if self.compares else "visible",
            Mark.MOST: "more than 2/3 visible",
            Mark.SOME: "1/3 to 2/3",
            Mark.FEW: "less than 1/3",
            Mark.LEAK: "leak",
            Mark.FIRST: f"only {first}",
            Mark.SECOND: f"only {second}",
            Mark.EACH: "some of each",
            Mark.HIDDEN: "neither" if self.compares else "hidden",
            Mark.SKIPPED: "in an empty block",
        }
        return {mark: words for mark, words in said.items() if mark in found or mark in always}

    def words(self, frame: Frame) -> list[str]:
        """The counts of a frame, a phrase each."""
        return list(frame.words(self.names, self.bounds, self.block))

    def save(self, path: str | Path) -> None:
        """Write the picture to a .svg, .png or .pdf file, by its ending.

        Raises:
            OptionError: for another ending, or when the file cannot be written.
            PluginError: when matplotlib is not installed.
        """
        from maskplug.attention.pictures.figure import save

        save(self, path)

    def text(self, width: int = 100) -> str:
        """The picture without colour, for a page of this many characters."""
        from maskplug.attention.pictures.terminal import lines

        return "\n".join(line.plain.rstrip() for line in lines(self, width))

    def __repr__(self) -> str:
        return self.text()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        from maskplug.attention.pictures.terminal import lines

        yield from lines(self, options.max_width)

    def _repr_svg_(self) -> str | None:
        """For notebooks; without matplotlib they show the text."""
        from maskplug.attention.pictures.figure import installed, written

        return written(self, "svg").decode() if installed() else None


def short(text: str, longest: int) -> str:
    """A token's text as a label of one line: nothing in it breaks a page or a file.

    Example:
        >>> short("two  lines", 8), short(" ", 8), short("hypotenuse", 8)
        ('two lin…', '␣', 'hypoten…')
    """
    line = " ".join(text.split()) or "␣"
    line = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)
    return line if len(line) <= longest else line[: longest - 1] + "…"


def one(masks: Any, sample: int = 0, head: int = 0) -> BoolArray:
    """The mask of one sample and head: bool of shape (queries, keys).

    Args:
        masks: bool of shape (queries, keys), (heads, queries, keys) or (batch, heads, queries,
            keys).
        sample, head: which one; an axis of 1 stands for all.

    Raises:
        OptionError: when there is no such sample or head.
        TokenError: when the mask is not bool, or of another shape.
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
    batch, heads = array.shape[:2]
    found: BoolArray = array[sample % batch, head % heads]
    return found
