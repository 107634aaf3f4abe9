"""Pictures of masks as .svg, .png and .pdf files, drawn by matplotlib.

Figures are created without pyplot, so that a program's own plots are not affected.
"""

from __future__ import annotations

import io
import textwrap
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from maskplug.errors import OptionError, PluginError
from maskplug.viz.frame import AGREED, LOOKS, Frame, Mark, Sheet, block_kinds, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ENDINGS = (".svg", ".png", ".pdf")
INK, SOFT = "#22272e", "#57606a"
DASHED: Any = (0, (3, 1.6))
OUTLINE: dict[str, Any] = {"fill": False, "edgecolor": INK, "linewidth": 1.1}
#: Fonts for texts in many scripts, if installed.
FONTS = ("DejaVu Sans", "Noto Sans", "Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans Arabic",
         "PingFang SC", "Microsoft YaHei", "Arial Unicode MS")  # fmt: skip
#: Maximum number of frames per row; per side, of drawn cells, of cells with a grid, and of blocks.
ABREAST, CELLS, GRID, OUTLINES = 4, 200, 64, 40


def installed() -> bool:
    """Return whether matplotlib is installed."""
    return find_spec("matplotlib") is not None


def form_of(path: str | Path) -> str:
    """Return the file format of a path, such as ``svg``.

    Raises:
        OptionError: if the ending is none of :data:`ENDINGS`.
        PluginError: if matplotlib is not installed.
    """
    ending = Path(path).suffix.lower()
    if ending not in ENDINGS:
        raise OptionError(f"a picture cannot be saved as {str(path)!r}; use {', '.join(ENDINGS)}")
    if not installed():
        raise PluginError("saving pictures needs matplotlib: pip install 'maskplug[viz]'")
    return ending[1:]


def render(sheet: Sheet, form: str) -> bytes:
    """Return the content of a file; the same sheet gives the same bytes."""
    from matplotlib import font_manager, rc_context

    available = set(font_manager.get_font_names())
    style: dict[Any, Any] = {
        "font.family": [font for font in FONTS if font in available] or ["sans-serif"],
        "font.size": 8,
        "svg.fonttype": "none",
        "svg.hashsalt": "maskplug",
        "text.color": INK,
        "text.parse_math": False,
    }
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(form)
    out = io.BytesIO()
    with rc_context(style), warnings.catch_warnings():
        if form == "svg":  # text stays text; the viewer chooses the font
            warnings.filterwarnings("ignore", "Glyph .* missing")
        figure(sheet).savefig(
            out, format=form, dpi=200, bbox_inches="tight", pad_inches=0.12, metadata=undated
        )
    return out.getvalue()


def figure(sheet: Sheet) -> Figure:
    """Return a figure with the frames in rows, a title above and a legend below them."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    frames, abreast, side = sheet.frames, min(len(sheet.frames), ABREAST), sheet.side(CELLS)
    statistics = [[*sheet.statistics(frame), *sheet.notes] for frame in frames]
    down = -(-len(frames) // abreast)
    queries, keys = frames[0].visible.shape
    longest = 2.6 if len(frames) > 1 else 5.0
    unit = min(0.2, longest / max(queries, keys))
    width = max(unit * keys, 2.4) + 1.2
    height = max(unit * queries, 0.6) + 0.17 * max(map(len, statistics)) + 1.1
    result = Figure(figsize=(width * abreast, height * down), layout="constrained")
    grid = result.subplots(down, abreast, squeeze=False).ravel()
    for axes, frame, lines in zip(grid, frames, statistics, strict=False):
        _draw(axes, sheet, frame, side, unit)
        text = "\n".join(wrapped for line in lines for wrapped in _wrap(line, width * 14))
        axes.set_xlabel(text, loc="left", color=SOFT)
    for axes in grid[len(frames) :]:
        axes.remove()
    title = [
        line for part in sheet.title.splitlines() for line in _wrap(part, width * abreast * 11)
    ]
    result.suptitle("\n".join(title), x=0.01, ha="left", fontsize=9, fontweight="bold")
    colours = _colours(frames[0])
    handles = [Patch(color=colours[mark], label=text) for mark, text in sheet.legend(side).items()]
    if sheet.block is not None and sheet.block >= side:
        outlines: Any = (("full block", "-"), ("partial block", DASHED))
        handles += [Patch(**OUTLINE, linestyle=line, label=text) for text, line in outlines]
    if any(frame.empty.any() for frame in frames):
        handles.append(Patch(color="white", label="∅ empty row"))
    title_of_legend = f"a cell stands for {side} × {side}" if side > 1 else None
    result.legend(
        handles=handles, loc="outside lower left", frameon=False, title=title_of_legend,
        ncols=max(int(width * abreast / 1.3), 2), alignment="left", handlelength=1.2,
    )  # fmt: skip
    return result


def _colours(frame: Frame) -> dict[Mark, str]:
    colours = {mark: look.colour for mark, look in LOOKS.items()}
    return colours if frame.other is None else colours | AGREED


def _draw(axes: Axes, sheet: Sheet, frame: Frame, side: int, unit: float) -> None:
    """Draw cells, blocks and empty rows of a frame; positions are in drawn cells."""
    from matplotlib.colors import to_rgb
    from matplotlib.patches import Rectangle

    marks = frame.marks(side)
    palette = np.array([to_rgb(_colours(frame)[mark]) for mark in Mark])
    axes.imshow(palette[marks], interpolation="nearest", aspect="equal")
    if max(marks.shape) <= GRID:
        lines = [np.arange(1, count) - 0.5 for count in marks.shape]
        axes.hlines(lines[0], -0.5, marks.shape[1] - 0.5, "white", linewidth=0.6)
        axes.vlines(lines[1], -0.5, marks.shape[0] - 0.5, "white", linewidth=0.6)
    empty = np.logical_or.reduceat(frame.empty, np.arange(0, len(frame.empty), side))
    for row in np.flatnonzero(empty):
        axes.annotate("∅", (marks.shape[1] - 0.3, row), va="center", annotation_clip=False)
    size = (sheet.block or 0) / side
    if size >= 1 and max(marks.shape) <= OUTLINES * size:
        kinds = block_kinds(np.logical_or.reduce(frame.masks), sheet.block or 1)
        for (row, key), kind in np.ndenumerate(kinds):
            if kind:
                corner, line = (key * size - 0.5, row * size - 0.5), "-" if kind == 2 else DASHED
                axes.add_patch(Rectangle(corner, size, size, **OUTLINE, linestyle=line))
    axes.set(xlim=(-0.5, marks.shape[1] - 0.5), ylim=(marks.shape[0] - 0.5, -0.5))
    axes.spines[:].set_visible(False)
    axes.tick_params(top=True, labeltop=True, bottom=False, labelbottom=False, length=0,
                     labelcolor=SOFT)  # fmt: skip
    for axis, texts, count in zip(
        (axes.yaxis, axes.xaxis), (sheet.queries, sheet.keys), frame.visible.shape, strict=True
    ):
        named = texts is not None and side == 1 and unit >= 0.11
        step = 1
        while not named and step * unit < 0.4:
            step *= 2
        idx = np.arange(0, count, step)
        labels = [short(texts[i]) if named and texts else str(i) for i in idx]
        rotation = 90 if named and axis is axes.xaxis else 0
        axis.set_ticks(idx / side - (side - 1) / (2 * side), labels, fontsize=7, rotation=rotation)
    axes.set_ylabel("queries", color=SOFT)
    axes.set_title(frame.caption, fontsize=8.5, fontweight="bold", loc="left")


def _wrap(text: str, width: float) -> list[str]:
    """Return a text in lines of at most ``width`` characters, broken after commas if possible."""
    # A title is an expression without blanks after commas: give textwrap places to break it.
    lines = textwrap.wrap(text.replace(",", ",\u200b "), max(int(width), 12))
    return [line.replace(",\u200b ", ",").replace("\u200b", "") for line in lines]
