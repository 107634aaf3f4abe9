"""``make bench``: measure every part; print tables; write results.json and two pictures."""

from __future__ import annotations

import importlib
import logging
import os
import sys
import time
import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import click
import rich.table
from rich.console import Console

from benchmarks.report import FILE, RESULTS, installed, load, store, tables
from benchmarks.timing import Row, compare

IMAGES = Path(__file__).parents[1] / "docs" / "images"


@dataclass(frozen=True)
class Part:
    """Measurements that are run and stored together.

    Args:
        name: on the command line and in the results.
        about: the heading.
        function: ``module:function`` in this package. It takes ``small`` and returns rows; in a
            peer it yields comparisons.
        needs: required distributions besides those of the core.
        peer: whether the function yields comparisons with another library.
        threads: of torch, if the part needs it; by default one, as in a data-loading worker.
    """

    name: str
    about: str
    function: str
    needs: tuple[str, ...] = ()
    peer: bool = False
    threads: int = 1

    @property
    def missing(self) -> list[str]:
        """The required distributions that are not installed."""
        return [name for name in self.needs if installed(name) is None]

    def measure(self, small: bool, rounds: int) -> list[Row]:
        """Return the rows of this part; without peak memory in the small form."""
        if "torch" in self.needs:
            import torch

            torch.set_num_threads(self.threads)
        module, _, name = self.function.partition(":")
        measured = getattr(importlib.import_module(f"benchmarks.{module}"), name)(small)
        return [compare(c, rounds, small) for c in measured] if self.peer else measured


HF, FAIRSEQ = ("torch", "transformers", "datasets"), ("torch", "fairseq-fixed")
PARTS = (
    Part("transformers", "Collators of transformers", "peers.transformers_collators:comparisons",
         HF, peer=True),
    Part("fairseq", "Datasets of fairseq", "peers.fairseq_datasets:comparisons", FAIRSEQ,
         peer=True),
    Part("megatron", "Datasets of Megatron-core", "peers.megatron_datasets:comparisons",
         ("torch", "megatron-core"), peer=True),
    Part("objectives", "Every strategy, 32 × 512", "core:objectives"),
    Part("memory-speed", "Strategies compared with copying memory", "core:memory_speed"),
    Part("stages", "Stages of the strategy dynamic", "core:stages"),
    Part("collator", "Stages of the collator", "collator_stages:measure", HF),
    Part("growth", "Growth with rows, length and rate", "growth:measure"),
    Part("start-up", "Time to the first batch", "start_up:measure"),
    Part("training", "Share of masking in a training step", "training:measure", HF + FAIRSEQ,
         threads=os.cpu_count() or 1),
    Part("loading", "DataLoader with workers", "loading:measure", HF),
    Part("attention", "BlockMask, compared with create_block_mask", "attention:measure", HF),
    Part("epochs", "Equal masks in epochs 1 and 2", "fairseq_epochs:measure", FAIRSEQ),
)  # fmt: skip


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
    results = load(path, [part.name for part in PARTS])
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

        peers = [row for part in PARTS if part.peer for row in results.get(part.name, [])]
        for picture in draw(peers, results.get("growth", []), images):
            console.print(f"{picture} drawn")
    if path:
        console.print(f"results are in {path}")
    for failure in failures:
        console.print(failure, style="bold red")
    if failures:
        raise SystemExit(1)


def show(rows: list[Row], console: Console) -> None:
    """Print the tables of some rows."""
    for head, *lines in tables(rows):
        printed = rich.table.Table(head[0], box=None)
        for name in head[1:]:
            printed.add_column(name, justify="right")
        for line in lines:
            printed.add_row(*line)
        console.print(printed)


if __name__ == "__main__":
    os.environ["OMP_NUM_THREADS"] = "1"
    logging.disable(logging.INFO)
    # Warnings of other libraries, on deprecations and on the missing accelerator.
    warnings.filterwarnings("ignore", module=r"(hydra|torch|fairseq|transformers)\b")
    warnings.filterwarnings("ignore", message=r"\s*'config' is validated against ConfigStore")
    main()
