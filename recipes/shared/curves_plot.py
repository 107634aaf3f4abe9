"""Draw learning curves: a line per strategy, and a band for its seeds."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recipes.shared.results import Entry
from recipes.shared.settings import Recipe
from recipes.shared.table import Group, groups

#: The colours of Okabe and Ito, which colour-blind readers can distinguish.
COLOURS = ("#000000", "#E69F00", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9")


def draw(recipe: Recipe, entries: Sequence[Entry], path: Path) -> None:
    """Draw one panel for each corpus, framework and stage.

    Args:
        recipe: determines the order of the strategies.
        entries: the runs.
        path: where to write the picture.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    panels = [(group, task) for group in groups(entries) for task in _tasks(group)]
    across = min(2, len(panels))
    down = -(-len(panels) // across)
    figure, axes = plt.subplots(down, across, figsize=(5.2 * across, 3.6 * down), squeeze=False)
    for axis in axes.flat[len(panels) :]:
        axis.set_visible(False)
    for axis, (group, task) in zip(axes.flat, panels, strict=False):
        _panel(axis, recipe, group, task)
    subtitle = "loss on the validation rows (nats; mean and range of seeds)"
    figure.suptitle(f"{recipe.title}\n{subtitle}", fontsize="medium")
    figure.tight_layout()
    figure.savefig(path, dpi=110, metadata={"Software": None})
    plt.close(figure)


def _tasks(group: Group) -> list[str]:
    return list(dict.fromkeys(task for entry in group.entries for task in entry["curves"]))


def _panel(axis: Any, recipe: Recipe, group: Group, task: str) -> None:
    order = list(recipe.strategies)
    for name in group.strategies(order):
        curves = [entry["curves"][task] for entry in group.of(name) if task in entry["curves"]]
        if not curves:
            continue
        colour = COLOURS[order.index(name) % len(COLOURS)] if name in order else "gray"
        losses: dict[int, list[float]] = {}
        for update, loss in (point for curve in curves for point in curve):
            losses.setdefault(update, []).append(loss)
        updates = sorted(losses)
        middle = [statistics.fmean(losses[update]) for update in updates]
        axis.plot(updates, middle, label=name, color=colour, marker="o", markersize=3, lw=1.4)
        low, high = ([kind(losses[u]) for u in updates] for kind in (min, max))
        axis.fill_between(updates, low, high, color=colour, alpha=0.15, lw=0)
    axis.set_title(f"{group.corpus}, {group.framework}: {task}", fontsize=9)
    axis.set_xlabel("updates")
    axis.grid(alpha=0.3)
    axis.legend(fontsize=8, frameon=False)
