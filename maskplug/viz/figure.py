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
from maskplug.viz.frame import Frame, Mark, Sheet, block_kinds, pooled, short

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
    down = -(-len(frames) // abreast)
    queries, keys = sheet.shape
    # Inches per query and key.
    unit = min(0.2, (2.6 if len(frames) > 1 else 5.0) / max(queries, keys))
    width, height = max(unit * keys, 2.4) + 1.2, max(unit * queries, 0.6) + 2.4
    result = Figure(figsize=(width * abreast, height * down), layout="constrained")
    grid = result.subplots(down, abreast, squeeze=False).ravel()
    for axes, frame in zip(grid, frames, strict=False):
        _draw(axes, sheet, frame, side, named=side == 1 and unit >= 0.11)
        lines = [*sheet.statistics(frame), *sheet.notes]
        axes.set_xlabel(_wrapped(lines, width * 14), loc="left", color=SOFT)
    for axes in grid[len(frames) :]:
        axes.remove()
    title = _wrapped(sheet.title.splitlines(), width * abreast * 11)
    result.suptitle(title, x=0.01, ha="left", fontsize=9, fontweight="bold")
    handles = [
        Patch(color=sheet.colours[mark], label=text) for mark, text in sheet.legend(side).items()
    ]
    if sheet.block is not None and sheet.block >= side:
        handles.append(Patch(**OUTLINE, label="full block"))
        handles.append(Patch(**OUTLINE, linestyle=DASHED, label="partial block"))
    if any(frame.empty.any() for frame in frames):
        handles.append(Patch(color="white", label="∅ empty row"))
    result.legend(
        handles=handles, loc="outside lower left", frameon=False, alignment="left",
        title=f"a cell stands for {side} × {side}" if side > 1 else None,
        ncols=max(int(width * abreast / 1.3), 2), handlelength=1.2,
    )  # fmt: skip
    return result


def _draw(axes: Axes, sheet: Sheet, frame: Frame, side: int, named: bool) -> None:
    """Draw cells, blocks and empty rows of a frame; coordinates are numbers of queries and keys."""
    from matplotlib.colors import to_rgb
    from matplotlib.patches import Rectangle
    from matplotlib.ticker import MaxNLocator

    marks, block = frame.marks(side), sheet.block or 0
    bottom, right = (side * count - 0.5 for count in marks.shape)
    palette = np.array([to_rgb(sheet.colours[mark]) for mark in Mark])
    axes.imshow(palette[marks], interpolation="nearest", extent=(-0.5, right, bottom, -0.5))
    if max(marks.shape) <= GRID:
        axes.hlines(np.arange(0.5, bottom, side), -0.5, right, "white", linewidth=0.6)
        axes.vlines(np.arange(0.5, right, side), -0.5, bottom, "white", linewidth=0.6)
    for row in np.flatnonzero(pooled(frame.empty[:, None], side)):
        axes.annotate(
            "∅", (right + 0.2 * side, (row + 0.5) * side - 0.5), va="center", annotation_clip=False
        )
    if block >= side and max(sheet.shape) <= OUTLINES * block:
        kinds = block_kinds(np.logical_or.reduce(frame.masks), block)
        for row, key in np.argwhere(kinds):
            line = "-" if kinds[row, key] == 2 else DASHED
            corner = (key * block - 0.5, row * block - 0.5)
            axes.add_patch(Rectangle(corner, block, block, **OUTLINE, linestyle=line))
    axes.set(xlim=(-0.5, right), ylim=(bottom, -0.5))
    axes.spines[:].set_visible(False)
    axes.tick_params(top=True, labeltop=True, bottom=False, labelbottom=False, length=0,
                     labelcolor=SOFT, labelsize=7)  # fmt: skip
    for axis, texts in ((axes.yaxis, sheet.queries), (axes.xaxis, sheet.keys)):
        axis.set_major_locator(MaxNLocator("auto", integer=True))
        if named and texts is not None:
            axis.set_ticks(range(len(texts)), [short(text) for text in texts])
    if named and sheet.keys is not None:
        axes.tick_params("x", rotation=90)
    axes.set_ylabel("queries", color=SOFT)
    axes.set_title(frame.caption, fontsize=8.5, fontweight="bold", loc="left")


def _wrapped(lines: list[str], width: float) -> str:
    """Return lines of at most ``width`` characters, broken after commas if possible."""
    # A title is an expression without blanks after commas: give textwrap places to break it.
    pieces = [textwrap.wrap(line.replace(",", ",\u200b "), max(int(width), 12)) for line in lines]
    text = "\n".join(line for piece in pieces for line in piece)
    return text.replace(",\u200b ", ",").replace("\u200b", "")
