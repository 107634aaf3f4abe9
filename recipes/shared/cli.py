"""Command line of the recipes: ``python -m recipes STEP RECIPE``."""

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
    """Add the options for the recipe, its corpus and its output folder."""
    for option in (
        click.option("--out", type=PATH, help="Output folder [runs/RECIPE/CORPUS]."),
        click.option("--sample", is_flag=True, help="Use the shipped sample and small models."),
        click.option("--corpus", help="One of the recipe's corpora, or a name for your own."),
        click.argument("recipe"),
    ):
        function = option(function)
    return function


def _run_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that distinguish the runs of a recipe."""
    for option in (
        click.option(
            "--threads", type=COUNT, default=os.cpu_count() or 1, show_default="all cores"
        ),
        click.option(
            "--seed", type=SEED, default=1, show_default=True, help="For weights, order and masks."
        ),
        click.option("--strategy", default="dynamic", show_default=True),
        click.option("--framework", type=click.Choice(FRAMEWORKS), default=FRAMEWORKS[0]),
    ):
        function = option(function)
    return function


@click.group()
def main() -> None:
    """Train and compare models with and without masking in fairseq and in Hugging Face.

    RECIPE is the name of a folder in recipes/ or the path of a configuration file.
    """


@main.command("list")
def list_() -> None:
    """List the recipes."""
    for name in config.names():
        recipe = config.load(name)
        console.print(f"[bold]{name}[/]  {recipe.title} ({', '.join(recipe.frameworks)})")


@main.command("prepare")
@_place
@click.option("--data", type=PATH, help="Folder with CORPUS.{train,valid,test}.tsv.gz.")
@click.option("--train", multiple=True, type=PATH, help="A file, or one file per column.")
@click.option("--valid", multiple=True, type=PATH)
@click.option("--test", multiple=True, type=PATH)
@click.option("--dataset", help="A Hugging Face dataset, NAME or NAME:CONFIG.")
@click.option("--columns", help="Columns of the dataset, separated by commas.")
def prepare_(
    recipe: str, corpus: str | None, sample: bool, out: Path | None, **options: Any
) -> None:
    """Check rows, train SentencePiece and write the data for both frameworks."""
    loaded = config.load(recipe, sample)
    rows = _corpus(loaded, corpus, options)
    work = Workspace(out or default(loaded.name, rows.name))
    with moving("reading") as step:
        tables = rows.tables(loaded)
        fresh = prepare.prepare(loaded, work, tables, step, rows.name)
    show_summary(work, "prepared" if fresh else "prepared already")


@main.command("train")
@_place
@_run_options
def train_(recipe: str, threads: int, **options: Any) -> None:
    """Train a model; resume an interrupted run."""
    run = _run(recipe, options)
    with moving() as step:
        steps.train(run, threads, step)
    console.print(f"trained; files are in {run.folder}", markup=False)


@main.command("evaluate")
@_place
@_run_options
@click.option("--split", default="test", type=click.Choice(["valid", "test"]), show_default=True)
@click.option("--results", type=PATH, help="File for the scores [OUT/results.json].")
def evaluate_(recipe: str, threads: int, split: str, results: Path | None, **options: Any) -> None:
    """Score a trained model and record the scores."""
    run = _run(recipe, options)
    with moving() as step:
        metrics = steps.evaluate(run, split, threads, step)
    console.print(f"{split}: [bold]{scores.summary(metrics)}[/]")
    if split == "test":
        steps.record(run, metrics, results or run.work.root / "results.json")


@main.command("compare")
@_place
@click.option("--framework", "frameworks", multiple=True, type=click.Choice(FRAMEWORKS))
@click.option("--strategy", "strategies", multiple=True, help="[all of the recipe]")
@click.option("--seeds", type=COUNT, default=3, show_default=True, help="Number of seeds.")
@click.option(
    "--jobs",
    type=COUNT,
    default=os.cpu_count() or 1,
    show_default="all cores",
    help="Number of parallel runs.",
)
@click.option("--results", type=PATH, help="File for the scores [OUT/results.json].")
def compare_(recipe: str, results: Path | None, jobs: int, seeds: int, **options: Any) -> None:
    """Train and score every strategy in every framework; skip runs that have results.

    Each run uses one thread, so that it can be repeated exactly.
    """
    loaded, work = _prepared(recipe, options)
    results = results or work.root / "results.json"
    frameworks = options["frameworks"] or loaded.frameworks
    strategies = options["strategies"] or tuple(loaded.strategies)
    runs = [
        Run(loaded, work, framework, strategy, seed)
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
def masks_(recipe: str, strategy: str, seed: int, epochs: int, **options: Any) -> None:
    """Draw the masks of both frameworks and check that they are equal."""
    loaded, work = _prepared(recipe, options)
    runs = [Run(loaded, work, framework, strategy, seed) for framework in loaded.frameworks]
    masks.compare(runs, epochs)


@main.command("demo")
@click.argument("recipe", default="translation")
@click.option("--out", type=PATH, help="Output folder [runs/RECIPE/sample].")
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
    """Write tables and curves from the published results of all recipes, or of some."""
    report.publish(names or tuple(config.names()))


def _corpus(recipe: Recipe, name: str | None, options: dict[str, Any]) -> Corpus:
    """Return the corpus that the options select."""
    files = {split: [*options[split]] for split in ("train", "valid", "test")}
    sources = [options["dataset"], options["data"], any(files.values()), recipe.sample]
    if sum(map(bool, sources)) != 1:
        raise RecipeError(
            "choose one source of rows: --sample, --data FOLDER, --dataset NAME, or --train, "
            "--valid and --test together"
        )
    if options["columns"] and not options["dataset"]:
        raise RecipeError("--columns needs --dataset; files have the recipe's columns in order")
    if any(files.values()):
        missing = [split for split, paths in files.items() if not paths]
        if missing:
            raise RecipeError(f"--{missing[0]} is missing: --train, --valid and --test go together")
        return Corpus(name or "own", files)
    if options["dataset"]:
        columns = tuple(filter(None, (options["columns"] or "").split(",")))
        return Corpus(name or options["dataset"].replace("/", "-"), {}, options["dataset"], columns)
    name = name or recipe.corpora[0]
    folder = recipe.folder / recipe.data if recipe.sample else options["data"]
    return Corpus("sample" if recipe.sample else name, in_folder(folder, name))


def _prepared(recipe: str, options: dict[str, Any]) -> tuple[Recipe, Workspace]:
    loaded = config.load(recipe, options["sample"])
    corpus = "sample" if loaded.sample else options["corpus"] or loaded.corpora[0]
    work = Workspace(options["out"] or default(loaded.name, corpus))
    prepare.check(loaded, work)
    return loaded, work


def _run(recipe: str, options: dict[str, Any]) -> Run:
    loaded, work = _prepared(recipe, options)
    return Run(loaded, work, options["framework"], options["strategy"], options["seed"])


def start() -> None:
    """Run the command line without the log messages of the frameworks."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends the child processes of a step
    logging.disable(logging.INFO)
    warnings.simplefilter("ignore")  # of the frameworks
    warnings.simplefilter("default", MaskplugWarning)
    try:
        main()
    except MaskplugError as error:
        raise SystemExit(f"Error: {error}") from None
