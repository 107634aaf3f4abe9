"""``maskplug check``: does a strategy or a pattern keep the promises?"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from maskplug.cli.subjects import subjects_of
from maskplug.errors import OptionError
from maskplug.spec import options_from_json
from maskplug.testing.checks import CHECKS
from maskplug.testing.checks.patterns import PATTERN_CHECKS
from maskplug.testing.known import declared
from maskplug.testing.run import Report, Result, run_check

STYLES = {
    "passed": "green",
    "failed": "bold red",
    "known": "yellow",
    "declared but passes": "yellow",
    "not applicable": "dim",
}


#: What is checked, by kind.
KITS: Mapping[str, tuple[Callable[[Any], None], ...]] = {
    "strategy": CHECKS,
    "pattern": PATTERN_CHECKS,
}


@click.command("check")
@click.argument("name", required=False)
@click.option("--options", default="{}", metavar="JSON", help="Options of what is checked.")
@click.option("--kind", type=click.Choice(list(KITS)), help="Where both are called NAME.")
@click.option("--seed", default=0, show_default=True, help="Of the rows and of the draws.")
def check_command(name: str | None, options: str, kind: str | None, seed: int) -> None:
    """Check whether a strategy or a pattern keeps the promises; the exit code is 1 if it does not.

    NAME is a strategy or a pattern of yours or a built-in one ("span", "span@1", "causal"), or an
    expression of patterns ("window:left=4 & document"); without it, everything that needs no
    options is checked.
    """
    given = options_from_json(options, "--options")
    if name is None and given:
        raise OptionError("--options belong to one strategy or pattern: give its NAME before them")
    subjects = subjects_of(list(KITS) if kind is None else [kind], name, given, seed)
    console = Console(highlight=False)
    reports = _run(subjects)
    if name is None:
        console.print(_overview(reports))
    else:
        for report in reports:
            console.print(_table(report))
            console.print(Text(f"{report.label}: {report.summary}", "bold"))
    for report in reports:
        for result in report.having("failed"):
            console.print()
            console.print(Text(f"{report.label}  {result.check}", "bold red"))
            console.print(Text(result.message), soft_wrap=True)
    if not all(report.ok for report in reports):
        sys.exit(1)


def _run(subjects: list[tuple[str, Any]]) -> list[Report]:
    """Run all checks, and show on a terminal how far they are."""
    reports = []
    with Progress(console=Console(stderr=True), transient=True) as progress:
        total = sum(len(KITS[kind]) for kind, _ in subjects)
        task = progress.add_task("", total=total)
        for kind, subject in subjects:
            known: Mapping[str, str] = declared(subject)
            results: list[Result] = []
            for check in KITS[kind]:
                progress.update(task, description=f"{escape(subject.label)} {check.__name__}")
                results.append(run_check(check, subject, known))
                progress.advance(task)
            reports.append(Report(subject.label, tuple(results)))
    return reports


def _columns(*headings: tuple[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading, justify in headings:
        table.add_column(heading, justify=justify, no_wrap=heading in ("check", "name", "time"))
    return table


def _table(report: Report) -> Table:
    """One line a check."""
    table = _columns(("check", "left"), ("outcome", "left"), ("time", "right"))
    for result in report.results:
        outcome = Text(result.outcome, STYLES[result.outcome])
        if result.outcome not in ("passed", "failed"):
            outcome.append(f" ({result.message})", "dim")
        table.add_row(result.check, outcome, f"{result.seconds:.2f} s")
    return table


def _overview(reports: list[Report]) -> Table:
    """One line a strategy or pattern."""
    table = _columns(("name", "left"), ("outcome", "left"), ("time", "right"))
    for report in reports:
        seconds = sum(result.seconds for result in report.results)
        style = STYLES["passed" if report.ok else "failed"]
        table.add_row(Text(report.label), Text(report.summary, style), f"{seconds:.2f} s")
    return table
