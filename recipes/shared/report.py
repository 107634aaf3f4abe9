"""Report results: a table on the screen, tables in Markdown, and learning curves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.table import Table

from recipes.shared import config, curves_plot, results
from recipes.shared.errors import RecipeError
from recipes.shared.screen import console
from recipes.shared.settings import RECIPES, Recipe
from recipes.shared.table import Group, groups
from recipes.shared.workspace import write

RESULTS, CURVES = "results.json", "curves.png"
#: The strategies with which dynamic masking is compared.
BASELINES = ("none", "static")
#: The strategies of every recipe.
COMMON = (*BASELINES, "dynamic")
MARKED = re.compile(r"(<!-- results -->\n).*?(<!-- /results -->)", re.DOTALL)
TITLES = {
    "bleu": "BLEU", "chrf": "chrF", "rouge1": "ROUGE-1", "rouge2": "ROUGE-2", "rougeL": "ROUGE-L",
    "accuracy": "accuracy", "macro_f1": "macro-F1",
}  # fmt: skip


def show(path: Path) -> None:
    """Print the results in a file."""
    for group in groups(results.read(path)):
        table = Table(title=_title(group), title_justify="left")
        for number, name in enumerate(["strategy", *map(title, group.metrics())]):
            table.add_column(name, justify="right" if number else "left")
        for name in group.strategies(()):
            table.add_row(name, *(str(group.cell(name, metric)) for metric in group.metrics()))
        console.print(table)
    console.print(f"results are in {path}", markup=False)


def publish(names: Iterable[str]) -> None:
    """Update the READMEs and curves of recipes, and the table of all recipes."""
    for name in names:
        recipe = config.load(name)
        entries = results.read(recipe.folder / RESULTS)
        into(recipe.folder / "README.md", details(recipe))
        if entries:
            curves_plot.draw(recipe, entries, recipe.folder / CURVES)
        console.print(f"{name}: {len(entries)} runs")
    into(RECIPES / "README.md", overview())


def details(recipe: Recipe) -> str:
    """Return the tables of a recipe: a row per strategy, a column per loss or score."""
    tasks, tables = [stage.task for stage in recipe.stages[:-1]], []
    for group in groups(results.read(recipe.folder / RESULTS)):
        metrics = group.metrics()
        head = ["strategy", *(f"{task} loss" for task in tasks), *map(title, metrics)]
        rows = [
            [
                f"`{name}`",
                *(group.loss(name, task).text(digits=2) for task in tasks),
                *(str(group.cell(name, metric)) for metric in metrics),
            ]
            for name in group.strategies(recipe.strategies)
        ]
        tables.append(f"{_title(group)}:\n\n{markdown(head, rows)}")
    return "\n".join(tables) or "No results yet.\n"


def overview() -> str:
    """Return the table of all recipes: a row per corpus and framework, a column per strategy."""
    rows = []
    for name in config.names():
        recipe = config.load(name)
        for group in groups(results.read(recipe.folder / RESULTS)):
            others = [each for each in group.strategies(recipe.strategies) if each not in COMMON]
            scores = [f"{each} {group.cell(each, recipe.metric)}" for each in others]
            rows.append([
                f"[{name}]({name}/README.md)", group.corpus, group.framework, title(recipe.metric),
                *(str(group.cell(each, recipe.metric)) for each in COMMON),
                *(group.gain("dynamic", than, recipe.metric).text("+") for than in BASELINES),
                ", ".join(scores) or "–", group.seeds, group.updates,
            ])  # fmt: skip
    head = ["recipe", "corpus", "framework", "score", *COMMON]
    head += [f"dynamic − {than}" for than in BASELINES]
    head += ["from the literature", "seeds", "updates"]
    return markdown(head, rows) if rows else "No results yet.\n"


def title(metric: str) -> str:
    """Return the usual name of a score; ``bleu@3`` is BLEU at k = 3."""
    name, at, k = metric.partition("@")
    word = {"al": "AL"}.get(name) or TITLES.get(name, name)
    return f"{word}, k = {k}" if at else word


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def into(page: Path, text: str) -> None:
    """Write text between the marks of a page.

    Raises:
        RecipeError: if the page does not exist or has no marks.
    """
    if not page.exists():
        raise RecipeError(f"{page}: no such file")
    before = page.read_text("utf-8")
    if not MARKED.search(before):
        raise RecipeError(f"{page} has no marks for results: <!-- results --> … <!-- /results -->")
    write(page, MARKED.sub(lambda match: f"{match[1]}\n{text}\n{match[2]}", before))


def _title(group: Group) -> str:
    seeds = "1 seed" if group.seeds == "1" else f"{group.seeds} seeds"
    return (
        f"{group.corpus}, {group.framework}: {group.updates} updates, {seeds}, "
        f"{group.minutes:.0f} minutes a run"
    )
