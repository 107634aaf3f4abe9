"""The pictures of docs/performance.md: ratios to the peers, and growth.

As in maskplug's own pictures, figures are made directly and never through pyplot, and the same
results give the same bytes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STYLE = {
    "font.size": 8,
    "svg.fonttype": "none",
    "svg.hashsalt": "maskplug",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.parse_math": False,
}
REACHED, MISSED, GOAL = "#1a7f5a", "#c4622d", "#24292f"
UNITS = {"rows": "rows of 512 tokens", "length": "tokens a row, 8 rows", "rate": "rate, 128 × 512"}

COSTS = {"ms": "ms a call", "MiB": "peak memory, MiB"}


def speed(rows: list[dict[str, Any]]) -> Figure:
    """A bar for each comparison: how many times as fast; a line where the goal is."""
    from matplotlib.figure import Figure

    made = Figure(figsize=(8, 0.8 + 0.42 * len(rows)), layout="constrained")
    axes = made.add_subplot()
    for at, row in enumerate(rows):
        ratio, goal = row["ratio"], row["goal"]
        low, high = row["middle half of ratios"]
        reached = ratio >= (goal or 1)
        axes.barh(at, ratio - 1, left=1, height=0.62, color=REACHED if reached else MISSED)
        axes.plot([low, high], [at, at], color=GOAL, linewidth=0.8)
        if goal is not None:
            axes.plot([goal, goal], [at - 0.42, at + 0.42], color=GOAL, linewidth=2)
        axes.annotate(f"{ratio:.3g}×", (max(ratio, high), at), (4, 0), textcoords="offset points",
                      va="center", fontweight="bold")  # fmt: skip
    axes.set_yticks(range(len(rows)), [f"{row['peer']}\n{row['what']}" for row in rows])
    axes.invert_yaxis()
    axes.set_xscale("log")
    top = max([row["ratio"] for row in rows] + [row["goal"] or 1 for row in rows])
    axes.set_xlim(min([1, *(row["ratio"] for row in rows)]) * 0.9, top * 2)
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:,g}×")
    axes.set_xlabel("tokens a second, maskplug / peer; thick line: the goal")
    return made


def growth(section: dict[str, Any]) -> Figure:
    """Time above and peak memory below, against each size, with a line of slope 1."""
    from matplotlib.figure import Figure

    made = Figure(figsize=(10, 6), layout="constrained")
    grid = made.subplots(2, len(section), sharex="col", squeeze=False)
    for column, (axis, found) in enumerate(section.items()):
        for above, cost in enumerate(("ms", "MiB")):
            _lines(grid[above][column], found, cost)
            _ticks(grid[above][column], [x for figures in found.values() for x in figures["sizes"]])
        grid[-1][column].set_xlabel(UNITS.get(axis, axis))
    lines, names = grid[0][0].get_legend_handles_labels()
    made.legend(lines, names, loc="outside upper center", ncols=len(names), frameon=False)
    return made


def _lines(axes: Axes, found: dict[str, Any], cost: str) -> None:
    """A line for each strategy, and one of slope 1 above them all."""
    axes.set(xscale="log", yscale="log", ylabel=COSTS[cost])
    points: list[tuple[float, float]] = []
    for number, (name, figures) in enumerate(found.items()):
        costs = figures.get(cost, [0] * len(figures["sizes"]))
        seen = [(x, y) for x, y in zip(figures["sizes"], costs, strict=True) if y > 0]
        if seen:
            x, y = zip(*seen, strict=True)
            axes.plot(x, y, marker=".", linewidth=1, color=f"C{number}", label=name)
        points += seen
    if points:
        x, y = zip(*points, strict=True)
        top = 1.6 * float(max(y))
        ends = [min(x), max(x)], [top * min(x) / max(x), top]
        axes.plot(*ends, "--", color="#8c959f", label="slope 1")
        axes.set_ylim(0.6 * min(y), 1.3 * top)


def _ticks(axes: Axes, sizes: list[float]) -> None:
    """Plain numbers: some of the sizes below, whole powers of ten at the side."""
    several = sorted(set(sizes))
    axes.set_xticks(several[:: -(-len(several) // 5)])
    axes.tick_params(which="minor", labelbottom=False, labelleft=False, bottom=False)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda x, _: f"{x:,g}")


def draw(results: dict[str, Any], folder: Path) -> list[Path]:
    """Write the pictures that these results have figures for; returns where."""
    from matplotlib import rc_context

    written = []
    for name, section, make in (
        ("speed", results.get("comparisons"), speed),
        ("growth", results.get("growth"), growth),
    ):
        if section:
            path = folder / f"{name}.svg"
            folder.mkdir(parents=True, exist_ok=True)
            with rc_context(STYLE):  # type: ignore[arg-type]
                make(section).savefig(path, metadata={"Date": None})
            written.append(path)
    return written
