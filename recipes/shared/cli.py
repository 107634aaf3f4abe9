"""The command line of the recipes: ``python -m recipes STEP RECIPE``."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from maskplug.errors import MaskplugError, MaskplugWarning
from recipes.shared import config, demo, grid, masks, prepare, report, scores, steps
from recipes.shared.corpora import Corpus, in_folder
from recipes.shared.errors import RecipeError
from recipes.shared.plan import Run
from recipes.shared.screen import console, moving, show_summary
from recipes.shared.settings import FRAMEWORKS, Recipe
from recipes.shared.workspace import Workspace, default

PATH = click.Path(path_type=Path)
COUNT, SEED = click.IntRange(min=1), click.IntRange(min=0)


def _place(function: Callable[..., Any]) -> Callable[..., Any]:
    """What every step needs: the recipe, its corpus, and where the work is kept."""
    for option in (
        click.option("--out", type=PATH, help="Folder of the work [runs/RECIPE/CORPUS]."),
        click.option(
            "--sample", is_flag=True, help="The small corpus that is shipped, small sizes."
        ),
        click.option("--corpus", help="One of the recipe's corpora, or a name for your own."),
        click.argument("recipe"),
    ):
        function = option(function)
    return function


def _run_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """What distinguishes one run from the others."""
    for option in (
        click.option(
            "--threads", type=COUNT, default=os.cpu_count() or 1, show_default="all cores"
        ),
        click.option(
            "--seed", type=SEED, default=1, show_default=True, help="Of weights, order and masks."
        ),
        click.option("--strategy", default="dynamic", show_default=True),
        click.option("--framework", type=click.Choice(FRAMEWORKS), default=FRAMEWORKS[0]),
    ):
        function = option(function)
    return function


@click.group()
def main() -> None:
    """Train models with and without masking, in fairseq and in Hugging Face, and compare them.

    RECIPE is the name of a folder in recipes/, or the path of a configuration file.
    """


@main.command("list")
def list_() -> None:
    """The recipes."""
    for name in config.names():
        recipe = config.load(name)
        console.print(f"[bold]{name}[/]  {recipe.title} ({', '.join(recipe.frameworks)})")


@main.command("prepare")
@_place
@click.option("--data", type=PATH, help="Folder with CORPUS.train.tsv.gz and so on.")
@click.option("--train", multiple=True, type=PATH, help="A file with all columns, or one for each.")
@click.option("--valid", multiple=True, type=PATH)
@click.option("--test", multiple=True, type=PATH)
@click.option("--dataset", help="A Hugging Face dataset, NAME or NAME:CONFIG.")
@click.option("--columns", help="Its columns, with commas between.")
def prepare_(recipe: str, corpus: str | None, sample: bool, out: Path | None, **given: Any) -> None:
    """Check rows, train SentencePiece, write what both frameworks read."""
    made = config.load(recipe, sample)
    rows = _corpus(made, corpus, given)
    work = Workspace(out or default(made.name, rows.name))
    with moving("reading") as step:
        tables = rows.tables(made)
        fresh = prepare.prepare(made, work, tables, step, rows.name)
    show_summary(work, "prepared" if fresh else "prepared already")


@main.command("train")
@_place
@_run_options
def train_(recipe: str, threads: int, **given: Any) -> None:
    """Train a model, from where it was interrupted."""
    run = _run(recipe, given)
    with moving() as step:
        steps.train(run, threads, step)
    console.print(f"trained; files are in {run.folder}", markup=False)


@main.command("evaluate")
@_place
@_run_options
@click.option("--split", default="test", type=click.Choice(["valid", "test"]), show_default=True)
@click.option("--results", type=PATH, help="File that keeps the scores [OUT/results.json].")
def evaluate_(recipe: str, threads: int, split: str, results: Path | None, **given: Any) -> None:
    """Score a trained model, and write the scores down."""
    run = _run(recipe, given)
    with moving() as step:
        metrics = steps.evaluate(run, split, threads, step)
    console.print(f"{split}: [bold]{scores.told(metrics)}[/]")
    if split == "test":
        steps.record(run, metrics, results or run.work.root / "results.json")


@main.command("compare")
@_place
@click.option("--framework", "frameworks", multiple=True, type=click.Choice(FRAMEWORKS))
@click.option("--strategy", "strategies", multiple=True, help="[all of the recipe]")
@click.option("--seeds", type=COUNT, default=3, show_default=True, help="How many, from 1 on.")
@click.option(
    "--jobs", type=COUNT, default=os.cpu_count() or 1, show_default="all cores", help="At a time."
)
@click.option("--results", type=PATH, help="File that keeps the scores [OUT/results.json].")
def compare_(recipe: str, results: Path | None, jobs: int, seeds: int, **given: Any) -> None:
    """Train and score every strategy in every framework; what is in the results is not repeated.

    Each run computes with one thread, so that it can be repeated exactly.
    """
    made, work = _prepared(recipe, given)
    results = results or work.root / "results.json"
    frameworks = given["frameworks"] or made.frameworks
    strategies = given["strategies"] or tuple(made.strategies)
    runs = [
        Run(made, work, framework, strategy, seed)
        for seed in range(1, seeds + 1)
        for framework in frameworks
        for strategy in strategies
    ]
    grid.compare(runs, results, jobs)
    report.show(results)


@main.command("masks")
@_place
@click.option("--strategy", default="dynamic", show_default=True)
@click.option("--seed", type=SEED, default=1, show_default=True)
@click.option("--epochs", type=COUNT, default=3, show_default=True)
def masks_(recipe: str, strategy: str, seed: int, epochs: int, **given: Any) -> None:
    """Draw the masks of both frameworks and count those that differ: there must be none."""
    made, work = _prepared(recipe, given)
    runs = [Run(made, work, framework, strategy, seed) for framework in made.frameworks]
    masks.compare(runs, epochs)


@main.command("demo")
@click.argument("recipe", default="translation")
@click.option("--out", type=PATH, help="Folder of the work [runs/RECIPE/sample].")
@click.option("--strategy", default="dynamic", show_default=True)
@click.option(
    "--framework",
    "frameworks",
    multiple=True,
    type=click.Choice(FRAMEWORKS),
    help="[all of the recipe]",
)
def demo_(recipe: str, out: Path | None, strategy: str, frameworks: tuple[str, ...]) -> None:
    """Run all steps on the shipped sample and show the masks of each framework."""
    begun = time.monotonic()
    loaded = config.load(recipe, sample=True)
    work = Workspace(out or default(loaded.name, "sample"))
    demo.show(loaded, work, strategy, frameworks)
    console.print(f"Done in {(time.monotonic() - begun) / 60:.1f} minutes.")


@main.command("report")
@click.argument("names", metavar="[RECIPE]...", nargs=-1)
def report_(names: tuple[str, ...]) -> None:
    """Write tables and curves from the published results: of all recipes, or of some."""
    report.publish(names or tuple(config.names()))


def _corpus(recipe: Recipe, name: str | None, given: dict[str, Any]) -> Corpus:
    """The rows that the options ask for."""
    files = {split: [*given[split]] for split in ("train", "valid", "test")}
    asked = [given["dataset"], given["data"], any(files.values()), recipe.sample]
    if sum(map(bool, asked)) != 1:
        raise RecipeError(
            "which rows? One of --sample, --data FOLDER and --dataset NAME, or --train, --valid "
            "and --test together"
        )
    if given["columns"] and not given["dataset"]:
        raise RecipeError("--columns are those of a --dataset; files have the recipe's, in order")
    if any(files.values()):
        missing = [split for split, paths in files.items() if not paths]
        if missing:
            raise RecipeError(f"--{missing[0]} is missing: --train, --valid and --test go together")
        return Corpus(name or "own", files)
    if given["dataset"]:
        columns = tuple(filter(None, (given["columns"] or "").split(",")))
        return Corpus(name or given["dataset"].replace("/", "-"), {}, given["dataset"], columns)
    name = name or recipe.corpora[0]
    folder = recipe.folder / recipe.data if recipe.sample else given["data"]
    return Corpus("sample" if recipe.sample else name, in_folder(folder, name))


def _prepared(recipe: str, given: dict[str, Any]) -> tuple[Recipe, Workspace]:
    made = config.load(recipe, given["sample"])
    corpus = "sample" if made.sample else given["corpus"] or made.corpora[0]
    work = Workspace(given["out"] or default(made.name, corpus))
    prepare.check(made, work)
    return made, work


def _run(recipe: str, given: dict[str, Any]) -> Run:
    made, work = _prepared(recipe, given)
    return Run(made, work, given["framework"], given["strategy"], given["seed"])


def start() -> None:
    """Run the command line with the frameworks' chatter off."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that a step's programs end with it
    logging.disable(logging.INFO)
    warnings.simplefilter("ignore")  # those of the frameworks
    warnings.simplefilter("default", MaskplugWarning)
    try:
        main()
    except MaskplugError as error:
        raise SystemExit(f"Error: {error}") from None
