"""``make bench``: measure every part; print tables; write results.json and two pictures."""

from __future__ import annotations

import logging
import os
import sys
import time
import warnings
from importlib.util import find_spec
from pathlib import Path

import click
import rich.table
from rich.console import Console

from benchmarks.parts import PARTS, Row
from benchmarks.results import FILE, RESULTS, load, store, tables

IMAGES = Path(__file__).parents[1] / "docs" / "images"


@click.command()
@click.option(
    "--only",
    multiple=True,
    type=click.Choice([part.name for part in PARTS]),
    metavar="NAME",
    help=f"Run this part; may be repeated. One of {', '.join(part.name for part in PARTS)}.",
)
@click.option("--small", is_flag=True, help="Use tiny inputs, as a test; write nothing.")
@click.option(
    "--rounds",
    default=30,
    show_default=True,
    type=click.IntRange(min=1),
    help="Number of rounds in which both sides of a comparison are timed.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write results and pictures into this folder.",
)
def main(only: tuple[str, ...], small: bool, rounds: int, out: Path | None) -> None:
    """Measure maskplug and other libraries in one process, with one thread each.

    Parts that are not run keep their previous results.
    """
    # In the log of a build, tables must not be cut.
    console = Console(width=None if sys.stdout.isatty() else 160, markup=False, highlight=False)
    path, images = (None, None) if small else (RESULTS, IMAGES)
    if out:
        path, images = out / FILE, out
    results = load(path)
    show(results["machine"], console)
    chosen = [part for part in PARTS if not only or part.name in only]
    failures = []
    for number, part in enumerate(chosen, 1):
        console.rule(f"{number} of {len(chosen)}  {part.name}: {part.about}", align="left")
        if part.missing:
            console.print(f"{', '.join(part.missing)} not installed: skipped\n")
            continue
        begin = time.perf_counter()
        try:
            store(results, part.name, part.measure(small, rounds), path)
        except Exception as error:  # the other parts are still worth running
            console.print_exception()
            failures.append(f"failed: {part.name}: {type(error).__name__}: {error}")
            continue
        show(results[part.name], console)
        console.print(f"{time.perf_counter() - begin:.0f} s\n", style="dim")
    if images and find_spec("matplotlib"):
        from benchmarks.plots import draw

        for picture in draw(results, images):
            console.print(f"{picture} drawn")
    if path:
        console.print(f"results are in {path}")
    for failure in failures:
        console.print(failure, style="bold red")
    if failures:
        raise SystemExit(1)


def show(rows: list[Row], console: Console) -> None:
    """Print the tables of some rows."""
    for table in tables(rows):
        printed = rich.table.Table(table.head[0], box=None)
        for name in table.head[1:]:
            printed.add_column(name, justify="right")
        for row in table.rows:
            printed.add_row(*row)
        console.print(printed)


if __name__ == "__main__":
    os.environ["OMP_NUM_THREADS"] = "1"
    logging.disable(logging.INFO)
    # Warnings of other libraries, on deprecations and on the missing accelerator.
    warnings.filterwarnings("ignore", module=r"(hydra|torch|fairseq|transformers)\b")
    warnings.filterwarnings("ignore", message=r"\s*'config' is validated against ConfigStore")
    main()
