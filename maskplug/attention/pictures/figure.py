"""A picture as a file: matplotlib, imported only when something is drawn.

Figures are made directly, never through pyplot, so that a program's own plots stay as they are.
"""

from __future__ import annotations

import io
import textwrap
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from maskplug.attention.pictures.paint import INK, SOFT, legend, paint
from maskplug.attention.pictures.picture import Picture, short
from maskplug.errors import OptionError, PluginError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ENDINGS = (".svg", ".png", ".pdf")
#: The most drawn cells a side, and the most frames in one row.
MOST, ABREAST = 200, 4
#: The longest text on an axis, in characters, and the room that one needs, in inches.
LONGEST, TEXT = 16, 0.11
#: Fonts to look for glyphs in, of those that are installed.
FONTS = ("DejaVu Sans", "Noto Sans", "Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans Arabic",
         "PingFang SC", "Microsoft YaHei", "Arial Unicode MS")  # fmt: skip


def installed() -> bool:
    """Whether there is a matplotlib."""
    return find_spec("matplotlib") is not None


def form_of(path: str | Path) -> str:
    """The form that a file's ending asks for, such as ``svg``.

    Raises:
        OptionError: when it is none of :data:`ENDINGS`.
        PluginError: when matplotlib is not installed.
    """
    ending = Path(path).suffix.lower()
    if ending not in ENDINGS:
        raise OptionError(f"a picture goes to {str(path)!r}; it ends with {', '.join(ENDINGS)}")
    if not installed():
        raise PluginError("writing pictures needs matplotlib: pip install 'maskplug[viz]'")
    return ending[1:]


def save(picture: Picture, path: str | Path) -> None:
    """Write a picture to a file; ``Picture.save`` explains it."""
    content = written(picture, form_of(path))
    try:
        Path(path).write_bytes(content)
    except OSError as error:
        raise OptionError(f"{path} cannot be written: {error.strerror or error}") from None


def written(picture: Picture, form: str) -> bytes:
    """The content of a file of this form; the same picture gives the same bytes."""
    from matplotlib import font_manager, rc_context

    there = set(font_manager.get_font_names())
    style: dict[Any, Any] = {
        "font.family": [font for font in FONTS if font in there] or ["sans-serif"],
        "font.size": 8,
        "hatch.linewidth": 0.6,
        "svg.fonttype": "none",
        "svg.hashsalt": "maskplug",
        "text.color": INK,
        "text.parse_math": False,
        "axes.labelcolor": SOFT,
        "axes.titlecolor": INK,
    }
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(form)
    out = io.BytesIO()
    with rc_context(style), warnings.catch_warnings():
        if form == "svg":  # its texts stay texts: whoever shows the file has the font or has not
            warnings.filterwarnings("ignore", "Glyph .* missing")
        figure(picture).savefig(
            out, format=form, dpi=200, bbox_inches="tight", pad_inches=0.12, metadata=undated
        )
    return out.getvalue()


def figure(picture: Picture) -> Figure:
    """Frames in rows, the counts below each; the title above all, the legend below.

    The figure is one inch wide and high, so that its fractions are inches, counted from the upper
    left corner; all that lies beyond is taken in when it is written.
    """
    from matplotlib.figure import Figure

    side = picture.side(MOST)
    queries, keys = (-(-n // side) for n in picture.shape)
    unit = _unit(picture, max(queries, keys))
    wide, high = unit * keys, unit * queries
    room = max(wide, 2.4 if len(picture.frames) > 1 else 4.0)
    said = [_wrapped(picture.words(frame), room) for frame in picture.frames]
    left = 0.45 + _extent(_texts(picture.queries, side, unit))
    above = 0.35 + _extent(_texts(picture.keys, side, unit))
    above += 0.2 if picture.frames[0].caption else 0.0
    pitch = above + high + 0.145 * max(map(len, said)) + 0.3
    abreast = min(len(picture.frames), ABREAST)
    width = abreast * (room + left) - left
    made = Figure(figsize=(1, 1), facecolor="white")
    for number, (frame, lines) in enumerate(zip(picture.frames, said, strict=True)):
        row, column = divmod(number, abreast)
        x, y = column * (room + left), -row * pitch - above - high
        axes = made.add_axes((x, y, wide, high))
        paint(axes, picture, frame, number, side, unit)
        _label(axes, picture, side, unit)
        axes.set_title(frame.caption, fontsize=8.5, fontweight="bold", loc="left", pad=5)
        made.text(x, y - 0.1, "\n".join(lines), va="top", linespacing=1.35, color=SOFT)
    title = "\n".join(
        line for part in picture.title.splitlines() for line in textwrap.wrap(part, int(width * 12))
    )
    made.text(0, 0.04, title, va="bottom", fontsize=9, fontweight="bold")
    rows = -(-len(picture.frames) // abreast)
    legend(made, picture, side, -rows * pitch, max(int(width / 1.4), 2))
    return made


def _unit(picture: Picture, cells: int) -> float:
    """Inches of a drawn cell: small ones in strips, and all smaller the more they are."""
    least, most = (1.6, 2.6) if len(picture.frames) > 1 else (2.0, 5.6)
    return float(np.clip(0.2 * cells, least, most)) / cells


def _wrapped(phrases: list[str], width: float) -> list[str]:
    """Phrases as lines that fit a width in inches."""
    return [line for words in phrases for line in textwrap.wrap(words, int(width * 17))]


def _texts(texts: tuple[str, ...] | None, side: int, unit: float) -> list[str] | None:
    """The texts of an axis, cut to a length, if there is room for them."""
    if texts is None or side > 1 or unit < TEXT:
        return None
    return [short(text, LONGEST) for text in texts]


def _extent(texts: list[str] | None) -> float:
    """The length of the texts of an axis, in inches; of numbers without them."""
    return 0.1 if texts is None else 0.065 * max(map(len, texts))


def _label(axes: Axes, picture: Picture, side: int, unit: float) -> None:
    """The axes: texts where they fit, else the number of every so many."""
    for axis, texts, count in (
        (axes.yaxis, picture.queries, picture.shape[0]),
        (axes.xaxis, picture.keys, picture.shape[1]),
    ):
        names = _texts(texts, side, unit)
        step = _step(count, unit / side) if names is None else 1
        at = np.arange(0, count, step)
        middle = 0.5 if side == 1 else 0.0
        axis.set_ticks(at / side + middle, names or list(map(str, at)), fontsize=7)
    axes.tick_params(length=2 if side > 1 else 0, pad=2, color="#8c959f", labelcolor=SOFT,
                     top=True, labeltop=True, bottom=False, labelbottom=False)  # fmt: skip
    if _texts(picture.keys, side, unit) is not None:
        axes.tick_params(axis="x", rotation=90)
    axes.set_ylabel("queries", labelpad=3)
    axes.set_xlabel("keys", labelpad=4)
    axes.xaxis.set_label_position("top")


def _step(count: int, inch: float) -> int:
    """Every how many tokens a number fits, at so many inches a token."""
    step = 1
    while step * inch < 0.07 * len(str(count)) + 0.1:
        step *= 2
    return step
