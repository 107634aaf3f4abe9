"""``maskplug check``: run the conformance checks on strategies and patterns."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from maskplug.cli.subjects import SUBJECTS, subjects_of
from maskplug.errors import OptionError
from maskplug.spec import options_from_json
from maskplug.testing.checks import CHECKS, PATTERN_CHECKS
from maskplug.testing.runner import Report, Result, run

STYLES = {
    "passed": "green",
    "failed": "bold red",
    "known": "yellow",
    "declared but passes": "yellow",
    "not applicable": "dim",
}


@click.command("check")
@click.argument("name", required=False)
@click.option("--options", default="{}", metavar="JSON", help="Options of NAME.")
@click.option(
    "--kind",
    type=click.Choice(list(SUBJECTS)),
    help="Needed if NAME is both a strategy and a pattern.",
)
@click.option("--seed", default=0, show_default=True, help="Seed of the rows and draws.")
def check_command(name: str | None, options: str, kind: str | None, seed: int) -> None:
    """Run the conformance checks on a strategy or a pattern; exit with 1 if any check fails.

    NAME is a strategy or a pattern, built in or from a plugin ("span", "span@1", "causal"), or an
    expression of patterns ("window(left=4) & document"). If omitted, check everything that needs no
    options. Requires pytest.
    """
    parsed = options_from_json(options, "--options")
    if name is None and parsed:
        raise OptionError("--options needs the NAME of a strategy or pattern")
    subjects = subjects_of(list(SUBJECTS) if kind is None else [kind], name, parsed, seed)
    reports = _run(subjects)
    console = Console(highlight=False)
    if name is None:
        console.print(_overview(reports))
    else:
        for report in reports:
            console.print(_details(report))
            console.print(Text(f"{report.label}: {report.summary}", "bold"))
    for report in reports:
        for result in report.having("failed"):
            console.print()
            console.print(Text(f"{report.label}  {result.check}", "bold red"))
            console.print(Text(result.message), soft_wrap=True)
    if not all(report.ok for report in reports):
        sys.exit(1)


def _run(subjects: list[tuple[str, Any]]) -> list[Report]:
    """Run all checks, with a progress bar on a terminal."""
    total = sum(len(CHECKS if kind == "strategy" else PATTERN_CHECKS) for kind, _ in subjects)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("checking", total=total)

        def advance(label: str, result: Result) -> None:
            progress.advance(task)

        return run([subject for _, subject in subjects], on_result=advance)


def _table(first: str, rows: Sequence[tuple[Text, Text, float]]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column(first, no_wrap=True)
    table.add_column("outcome")
    table.add_column("time", justify="right", no_wrap=True)
    for name, outcome, seconds in rows:
        table.add_row(name, outcome, f"{seconds:.2f} s")
    return table


def _details(report: Report) -> Table:
    """Return a table with one row per check."""
    rows = []
    for result in report.results:
        outcome = Text(result.outcome, STYLES[result.outcome])
        if result.outcome not in ("passed", "failed"):
            outcome.append(f" ({result.message})", "dim")
        rows.append((Text(result.check), outcome, result.seconds))
    return _table("check", rows)


def _overview(reports: list[Report]) -> Table:
    """Return a table with one row per strategy or pattern."""
    rows = []
    for report in reports:
        outcome = Text(report.summary, STYLES["passed" if report.ok else "failed"])
        rows.append((Text(report.label), outcome, sum(r.seconds for r in report.results)))
    return _table("name", rows)
