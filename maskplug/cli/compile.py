"""``maskplug compile``: compile the kernels now, for processes to come."""

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
    """Compile kernels ahead of time, say in a container image, so that no first batch waits.

    NAME is a strategy, a pattern or an expression of patterns; without it, everything that needs no
    options is compiled. Kernels that were compiled before are left as they are.
    """
    where = folder()
    if where is None:
        raise OptionError(
            "there is no folder to keep compiled kernels in: set NUMBA_CACHE_DIR to a folder that "
            "can be written to"
        )
    subjects = subjects_of(list(SUBJECTS), name, {}, seed=0)
    with watched() as compiled, Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=len(subjects))
        for kind, subject in subjects:
            progress.update(task, description=escape(subject.label))
            with suppress(MaskplugError):  # it needs more than we have; its user will be told
                USES[kind](subject)
            progress.advance(task)
    console = Console(highlight=False)
    if compiled:
        console.print(_table(compiled))
    seconds = sum(one.seconds for one in compiled)
    number = len({one.name for one in compiled if one.own})
    console.print(f"{number} kernels compiled in {seconds:.1f} s; {kept(where)} kept in")
    console.print(str(where), soft_wrap=True, markup=False)


def _strategy(subject: Any) -> None:
    """Mask a few tokens, as adapters do before training, and pad them."""
    from maskplug.collate import pad, visible
    from maskplug.ragged import Ragged
    from maskplug.warm_up import warm_up

    warm_up(subject.strategy.try_out(subject.vocab))
    rows = Ragged.of([[1, 2], [3]])
    pad(rows, 0)
    visible(rows.lengths, 2)
    rows.take(np.arange(2))


def _pattern(subject: Any) -> None:
    """Render every form, wherever the pattern can be used."""
    from maskplug.attention.blocks import PARTIAL, Blocks

    for batch in subject.batches():
        rows = subject.rows(batch)
        rows.dense()
        Blocks.of(rows).listed(PARTIAL)
        _ = rows.counts, ~rows, rows | rows, rows & rows


USES = {"strategy": _strategy, "pattern": _pattern}


def _table(compiled: list[Compilation]) -> Table:
    """Seconds by kernel, the slowest first; numba's own functions in one line."""
    seconds: dict[str, float] = defaultdict(float)
    for one in compiled:
        seconds[one.name if one.own else "(numba's own functions)"] += one.seconds
    table = Table("kernel", "seconds", box=None, pad_edge=False)
    for name, taken in sorted(seconds.items(), key=lambda item: -item[1]):
        table.add_row(name, f"{taken:.2f}")
    return table
