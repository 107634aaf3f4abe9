"""Draw the pictures of docs/performance.md: ratios to other libraries, and growth.

The same results give the same bytes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

from benchmarks.timing import Row

STYLE: Any = {
    "font.size": 8,
    "svg.fonttype": "none",
    "svg.hashsalt": "maskplug",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.parse_math": False,
}
REACHED, MISSED, LINE, GREY = "#1a7f5a", "#c4622d", "#24292f", "#8c959f"
UNITS = {"rows": "rows of 512 tokens", "length": "tokens a row, 8 rows", "rate": "rate, 128 × 512"}
COSTS = {"ms": "ms a call", "MiB": "peak memory, MiB"}


def draw(compared: list[Row], grown: list[Row], folder: Path) -> list[Path]:
    """Write the pictures for which there are rows; return their paths."""
    written = []
    folder.mkdir(parents=True, exist_ok=True)
    for picture, rows in ((speed, compared), (growth, grown)):
        if rows:
            written.append(folder / f"{picture.__name__}.svg")
            with rc_context(STYLE):
                picture(rows).savefig(written[-1], metadata={"Date": None})
    return written


def speed(rows: list[Row]) -> Figure:
    """Draw a bar for each ratio, and a line at its goal."""
    figure = Figure(figsize=(8, 0.8 + 0.42 * len(rows)), layout="constrained")
    axes = figure.add_subplot()
    for y, row in enumerate(rows):
        ratio, goal = row["ratio"], row["goal"]
        low, high = row["middle half of ratios"]
        colour = REACHED if ratio >= (goal or 1) else MISSED
        axes.barh(y, ratio - 1, left=1, height=0.62, color=colour)
        axes.plot([low, high], [y, y], color=LINE, linewidth=0.8)
        if goal is not None:
            axes.plot([goal, goal], [y - 0.42, y + 0.42], color=LINE, linewidth=2)
        axes.annotate(f"{ratio:.3g}×", (max(ratio, high), y), (4, 0), textcoords="offset points",
                      va="center", fontweight="bold")  # fmt: skip
    axes.set_yticks(range(len(rows)), [f"{row['peer']}\n{row['work']}" for row in rows])
    axes.invert_yaxis()
    axes.set_xscale("log")
    ratios = [row["ratio"] for row in rows]
    axes.set_xlim(min(1, *ratios) * 0.9, max(*ratios, *(row["goal"] or 1 for row in rows)) * 2)
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:,g}×")
    axes.set_xlabel("tokens a second, maskplug / peer; thick line: the goal")
    return figure


def growth(rows: list[Row]) -> Figure:
    """Draw time (top) and peak memory (bottom) by each size, and a line of slope 1."""
    columns = list(dict.fromkeys(axis for row in rows for axis in row["curves"]))
    figure = Figure(figsize=(10, 6), layout="constrained")
    grid = figure.subplots(2, len(columns), sharex="col", squeeze=False)
    for column, axis in enumerate(columns):
        for axes, cost in zip(grid[:, column], COSTS, strict=True):
            curves = {row["strategy"]: row["curves"].get(axis) for row in rows}
            _lines(axes, {name: values for name, values in curves.items() if values}, cost)
        grid[-1][column].set_xlabel(UNITS[axis])
    lines, names = grid[0][0].get_legend_handles_labels()
    figure.legend(lines, names, loc="outside upper center", ncols=len(names), frameon=False)
    return figure


def _lines(axes: Any, curves: dict[str, Any], cost: str) -> None:
    axes.set(xscale="log", yscale="log", ylabel=COSTS[cost])
    points: list[tuple[float, float]] = []
    for number, (name, values) in enumerate(curves.items()):
        pairs = [(x, y) for x, y in zip(values["sizes"], values[cost], strict=True) if y > 0]
        if pairs:
            axes.plot(*zip(*pairs, strict=True), ".-", linewidth=1, color=f"C{number}", label=name)
        points += pairs
    if points:
        x, y = zip(*points, strict=True)
        top = 1.6 * max(y)
        axes.plot([min(x), max(x)], [top * min(x) / max(x), top], "--", color=GREY, label="slope 1")
        axes.set_ylim(0.6 * min(y), 1.3 * top)
    sizes = sorted({x for values in curves.values() for x in values["sizes"]})
    axes.set_xticks(sizes[:: -(-len(sizes) // 5)])
    axes.tick_params(which="minor", labelbottom=False, labelleft=False, bottom=False)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda x, _: f"{x:,g}")
