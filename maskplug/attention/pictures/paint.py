"""What a figure is painted with: looks of the marks, cells, outlines of blocks, the legend.

Every kind of mark is one group of the file, with an id such as ``visible-0`` (of the first frame).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from maskplug.attention.pictures.frame import Frame, Mark, Marks, kinds
from maskplug.types import BoolArray, FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from maskplug.attention.pictures.picture import Picture


class Look(NamedTuple):
    """A colour that the colour-blind tell from the others, and strokes where there is no colour."""

    name: str
    colour: str
    strokes: str | None = None


class Line(NamedTuple):
    """How a block is outlined."""

    name: str
    kind: int
    width: float
    dashes: Any = "-"


#: Colours of Okabe and Ito where marks must be told apart, shades of one where they are ranked.
LOOKS = {
    Mark.HIDDEN: Look("hidden", "#e4e8ed"),
    Mark.SKIPPED: Look("skipped", "#f6f8fa"),
    Mark.FEW: Look("few", "#c2d8ea"),
    Mark.SOME: Look("some", "#94bbda"),
    Mark.MOST: Look("most", "#6399c5"),
    Mark.VISIBLE: Look("visible", "#2f71a8"),
    Mark.LEAK: Look("leak", "#d55e00", "xxxx"),
    Mark.FIRST: Look("first", "#56b4e9", "////"),
    Mark.SECOND: Look("second", "#e69f00", "\\\\\\\\"),
    Mark.EACH: Look("each", "#cc79a7", "xxxx"),
}
#: Where two masks agree they stay behind what they differ in.
AGREED = {
    Mark.FEW: Look("few", "#ccd1d7"),
    Mark.SOME: Look("some", "#b1b8c0"),
    Mark.MOST: Look("most", "#959ea8"),
    Mark.VISIBLE: Look("visible", "#76808c"),
}
LINES = (Line("full block", 2, 1.5), Line("partial block", 1, 1.1, (0, (3, 1.6))))
INK, SOFT = "#22272e", "#57606a"
EMPTY = Look("empty", INK)
#: Cells a side that stand alone, and blocks a side that are outlined, at the most.
GAPS, OUTLINES = 80, 40


def looks(picture: Picture) -> dict[Mark, Look]:
    """The look of every mark in this picture."""
    return LOOKS | AGREED if picture.compares else LOOKS


def paint(axes: Axes, picture: Picture, frame: Frame, number: int, side: int, unit: float) -> None:
    """Cells, blocks and empty rows of one frame.

    Args:
        axes: to paint on.
        picture, frame, number: what to paint; the number is that of the frame.
        side: how many queries and keys a drawn cell stands for.
        unit: its size, in inches.
    """
    marks = frame.marks(side, picture.block)
    ends = marks.shape
    for mark, look in looks(picture).items():
        boxes = _cells(marks == mark)
        _add(axes, boxes, f"{look.name}-{number}", facecolor=look.colour, hatch=look.strokes,
             edgecolor="white", linewidth=0)  # fmt: skip
    empty = np.flatnonzero(np.logical_or.reduceat(frame.empty, range(0, len(frame.empty), side)))
    right = ends[1] + 0.05 / unit
    bars = _boxes(empty, right, empty + 1, right + 0.08 / unit)
    _add(axes, bars, f"empty-{number}", facecolor=EMPTY.colour, linewidth=0)
    for line in LINES:
        found = np.argwhere(blocks(picture, frame, side) == line.kind)
        size, inset = (picture.block or 1) / side, 1.1 / 72 / unit
        low, high = found * size + inset, np.minimum((found + 1) * size, ends) - inset
        boxes = _boxes(*low.T, *high.T)
        name = f"{line.name.split()[0]}-{number}"
        # A light rim lets the line stand out from dark cells, and small cells be seen below it.
        _add(axes, boxes, f"rim-{name}", fill=False, edgecolor=(1, 1, 1, 0.6),
             linewidth=line.width + 1.2)  # fmt: skip
        _add(axes, boxes, name, fill=False, edgecolor=INK, linewidth=line.width,
             linestyle=line.dashes)  # fmt: skip
    axes.set(xlim=(0, ends[1]), ylim=(ends[0], 0), facecolor="white")
    axes.spines[:].set_visible(False)


def blocks(picture: Picture, frame: Frame, side: int) -> Marks:
    """The kinds of the blocks to outline; none where they are too small for it.

    Of two masks, the blocks are those of all that one or the other shows.
    """
    block = picture.block
    if block is None or block < side or max(frame.seen.shape) > OUTLINES * block:
        return np.zeros((0, 0), np.uint8)
    return kinds(frame.shown, block)


def _cells(where: BoolArray) -> FloatArray:
    """A box for each cell, with a gap around; where cells are small, one for each run in a row.

    Runs overlap a little: between boxes that only touch, viewers show a seam.
    """
    if max(where.shape) <= GAPS:
        row, key = np.nonzero(where)
        return _boxes(row + 0.04, key + 0.04, row + 0.96, key + 0.96)
    edges = np.diff(np.pad(where, [(0, 0), (1, 1)]).astype(np.int8), axis=1)
    (row, left), (_, right) = np.nonzero(edges == 1), np.nonzero(edges == -1)
    return _boxes(row - 0.02, left - 0.02, row + 1.02, right + 0.02)


def _boxes(top: Any, left: Any, bottom: Any, right: Any) -> FloatArray:
    """The outlines of boxes as closed polygons: float64 of shape (n, 5, 2)."""
    top, left, bottom, right = np.broadcast_arrays(top, left, bottom, right)
    corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    return np.array(corners, np.float64).transpose(2, 0, 1)


def _add(axes: Axes, boxes: FloatArray, gid: str, **style: Any) -> None:
    """Paint boxes as one path, which is one group of the file."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    if len(boxes):
        path = Path.make_compound_path_from_polys(boxes)
        # Not add_patch, which looks at every corner to find limits that are known already.
        axes.add_artist(PathPatch(path, gid=gid, clip_on=False, **style))


def legend(figure: Figure, picture: Picture, side: int, top: float, columns: int) -> None:
    """What the marks mean that are found in the picture.

    Args:
        figure: to paint on.
        picture: says what there is to explain.
        side: how many queries and keys a drawn cell stands for.
        top: where the legend begins, in inches.
        columns: of the legend.
    """
    from matplotlib.patches import Patch

    found = {mark for f in picture.frames for mark in np.unique(f.marks(side, picture.block))}
    outlined = {kind for f in picture.frames for kind in np.unique(blocks(picture, f, side))}
    handles = []
    for mark, words in picture.legend(found).items():
        look = looks(picture)[mark]
        edge, width = ("white", 0.0) if look.strokes else ("#d0d7de", 0.6)
        handles.append(Patch(facecolor=look.colour, hatch=look.strokes, edgecolor=edge,
                             linewidth=width, label=words))  # fmt: skip
    handles += [
        Patch(fill=False, edgecolor=INK, linewidth=line.width, linestyle=line.dashes,
              label=line.name)
        for line in LINES if line.kind in outlined
    ]  # fmt: skip
    if any(frame.empty.any() for frame in picture.frames):
        handles.append(Patch(facecolor=EMPTY.colour, label="row sees nothing"))
    made = figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0, top), frameon=False, ncols=columns,
        title=f"a cell stands for {side} × {side}" if side > 1 else None, alignment="left",
        borderpad=0, borderaxespad=0, handlelength=1.4, handleheight=1.1, columnspacing=1.4,
        labelspacing=0.5,
    )  # fmt: skip
    made.set_gid("legend")
