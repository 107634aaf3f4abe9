"""Runs one part, and says what became of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table as Printed

from benchmarks.comparison import compare
from benchmarks.parts import Measurement, Peer
from benchmarks.peak import peak
from benchmarks.results import Results
from benchmarks.tables import Table, tables


def run(
    part: Peer | Measurement, results: Results, small: bool, rounds: int, console: Console
) -> str | None:
    """Measure, keep and print.

    Returns:
        What went wrong, None if nothing did. What is not installed is no fault.
    """
    if part.missing:
        console.print(f"{', '.join(part.missing)} not installed: skipped\n")
        return None
    begun = time.perf_counter()
    try:
        if isinstance(part, Peer):
            _compare(part, results, small, rounds, console)
        else:
            results.section(part.name, part.measure(small))
            show(tables(part.name, results.figures[part.name]), console)
    except Exception as error:  # whatever it is, the other parts are still worth running
        console.print_exception()
        return f"{part.name}: {type(error).__name__}: {error}"
    console.print(f"{time.perf_counter() - begun:.0f} s\n", style="dim")
    return None


def _compare(part: Peer, results: Results, small: bool, rounds: int, console: Console) -> None:
    rows: list[dict[str, Any]] = []
    try:
        for row in _rows(part, small, rounds, console):
            rows.append(row)
            results.row(part.name, row)
    finally:
        show(tables("comparisons", rows), console)
    results.finished(part.name, rows)


def _rows(part: Peer, small: bool, rounds: int, console: Console) -> Iterator[dict[str, Any]]:
    """A row for each comparison; without peak memory in the small form, for it takes long."""
    for number, comparison in enumerate(part.comparisons(small)):
        console.print(f"{comparison.peer}: {comparison.what}", style="dim")
        row = compare(comparison, rounds)
        for name, side in (("maskplug", "ours"), ("peer", "theirs")):
            mib = None if small else peak("benchmarks.peak:side", part.module, number, side, small)
            row[f"{name}, MiB"] = mib
        yield row


def show(made: list[Table], console: Console) -> None:
    """Print tables."""
    for one in made:
        printed = Printed(one.head[0], box=None)
        for name in one.head[1:]:
            printed.add_column(name, justify="right")
        for row in one.rows:
            printed.add_row(*row)
        console.print(printed)
