"""``make bench``: every part in turn, tables, benchmarks/results.json and two pictures."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path

import click
from rich.console import Console

from benchmarks.machine import machine
from benchmarks.parts import PARTS
from benchmarks.results import FILE, RESULTS, Results
from benchmarks.running import run, show
from benchmarks.tables import tables

IMAGES = Path(__file__).parents[1] / "docs" / "images"


@click.command()
@click.option(
    "--only",
    multiple=True,
    type=click.Choice([part.name for part in PARTS]),
    metavar="NAME",
    help=f"Run this part; may be repeated. One of {', '.join(part.name for part in PARTS)}.",
)
@click.option(
    "--small", is_flag=True, help="Tiny inputs, only to see that it runs; writes nothing."
)
@click.option(
    "--rounds",
    default=30,
    show_default=True,
    type=click.IntRange(min=1),
    help="How often both sides of a comparison are timed.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write results and pictures into this folder.",
)
def main(only: tuple[str, ...], small: bool, rounds: int, out: Path | None) -> None:
    """Measure maskplug against its peers, one thread each, both sides in one process.

    Parts that do not run keep their former results.
    """
    # Tables are not cut where nobody looks at them: in the log of a build.
    console = Console(width=None if sys.stdout.isatty() else 160, markup=False, highlight=False)
    path, images = (None, None) if small else (RESULTS, IMAGES)
    if out:
        path, images = out / FILE, out
    results = Results.begun(path, machine(), [part.name for part in PARTS])
    show(tables("machine", results.figures["machine"]), console)
    chosen = [part for part in PARTS if not only or part.name in only]
    failures = []
    for number, part in enumerate(chosen, 1):
        console.rule(f"{number} of {len(chosen)}  {part.name}: {part.about}", align="left")
        failures.append(run(part, results, small, rounds, console))
    if images:
        _draw(results, images, console)
    if path:
        console.print(f"{path} written")
    failures = [failure for failure in failures if failure]
    for failure in failures:
        console.print(f"failed: {failure}", style="bold red")
    if failures:
        raise SystemExit(1)


def _draw(results: Results, folder: Path, console: Console) -> None:
    if find_spec("matplotlib") is None:
        console.print("matplotlib not installed: no pictures")
        return
    from benchmarks.plots import draw

    for picture in draw(results.figures, folder):
        console.print(f"{picture} drawn")


if __name__ == "__main__":
    os.environ["OMP_NUM_THREADS"] = "1"
    logging.disable(logging.INFO)
    # The peers' own: deprecations, and that there is no accelerator.
    warnings.filterwarnings("ignore", module=r"(hydra|torch|fairseq|transformers)\b")
    warnings.filterwarnings("ignore", message=r"\s*'config' is validated against ConfigStore")
    main()
