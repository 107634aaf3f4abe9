"""``maskplug compile``: compile kernels ahead of time."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from maskplug.cli.subjects import SUBJECTS, subjects_of
from maskplug.errors import MaskplugError, OptionError
from maskplug.kernels.compilation import Compilation, folder, kept, watched


@click.command("compile")
@click.argument("name", required=False)
def compile_command(name: str | None) -> None:
    """Compile kernels ahead of time, for example in a container image.

    NAME is a strategy, a pattern or an expression of patterns; if omitted, compile everything that
    needs no options. Kernels in the cache are not compiled again.
    """
    cache = folder()
    if cache is None:
        raise OptionError(
            "there is no writable folder for compiled kernels: set NUMBA_CACHE_DIR to a writable "
            "folder"
        )
    subjects = subjects_of(list(SUBJECTS), name, {}, seed=0)
    with watched() as compiled, Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=len(subjects))
        for kind, subject in subjects:
            progress.update(task, description=escape(subject.label))
            with suppress(MaskplugError):  # it needs other input; its user sees the message
                (_compile_strategy if kind == "strategy" else _compile_pattern)(subject)
            progress.advance(task)
    console = Console(highlight=False)
    if compiled:
        console.print(_table(compiled))
    seconds = sum(one.seconds for one in compiled)
    number = len({one.name for one in compiled if one.is_maskplug})
    console.print(f"{number} kernels compiled in {seconds:.1f} s; {kept(cache)} in the cache")
    console.print(str(cache), soft_wrap=True, markup=False)


def _compile_strategy(subject: Any) -> None:
    """Mask a few tokens, as adapters do before training, and pad them."""
    from maskplug.collate import pad, visible
    from maskplug.ragged import Ragged
    from maskplug.warm_up import warm_up

    warm_up(subject.strategy.dry_run(subject.vocab))
    rows = Ragged.of([[1, 2], [3]])
    pad(rows, 0)
    visible(rows.lengths, 2)
    rows.take(np.arange(2))


def _compile_pattern(subject: Any) -> None:
    """Render every form for every attention kind."""
    from maskplug.attention.blocks import PARTIAL, Blocks

    for batch in subject.batches():
        rows = subject.rows(batch)
        rows.dense()
        Blocks.of(rows).listed(PARTIAL)
        _ = rows.counts, ~rows, rows | rows, rows & rows


def _table(compiled: list[Compilation]) -> Table:
    """Return the seconds by kernel, slowest first, with numba's own functions in one row."""
    seconds: dict[str, float] = defaultdict(float)
    for one in compiled:
        seconds[one.name if one.is_maskplug else "(numba's own functions)"] += one.seconds
    table = Table("kernel", "seconds", box=None, pad_edge=False)
    for name, duration in sorted(seconds.items(), key=lambda item: -item[1]):
        table.add_row(name, f"{duration:.2f}")
    return table
