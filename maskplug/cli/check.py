"""``maskplug check``: does a strategy keep the promises?"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from maskplug.errors import OptionError
from maskplug.plugins import registry
from maskplug.spec import options_from_json
from maskplug.testing.checks import CHECKS
from maskplug.testing.known import declared
from maskplug.testing.run import Report, Result, run_check
from maskplug.testing.subject import Subject

STYLES = {
    "passed": "green",
    "failed": "bold red",
    "known": "yellow",
    "declared but passes": "yellow",
    "not applicable": "dim",
}


@click.command("check")
@click.argument("name", required=False)
@click.option("--options", default="{}", metavar="JSON", help="Options of the strategy.")
@click.option("--seed", default=0, show_default=True, help="Of the rows and of the draws.")
def check_command(name: str | None, options: str, seed: int) -> None:
    """Check whether a strategy keeps the promises; the exit code is 1 when it does not.

    NAME is a strategy of yours or a built-in one ("span", "span@1"); without it, every strategy
    that needs no options is checked.
    """
    given = options_from_json(options, "--options")
    if name is None and given:
        raise OptionError("--options belong to one strategy: give its NAME before them")
    names = _needing_nothing() if name is None else [name]
    subjects = [Subject.of(one, seed=seed, options=given) for one in names]
    console = Console(highlight=False)
    reports = _run(subjects)
    if name is None:
        console.print(_overview(reports))
    else:
        console.print(_table(reports[0]))
        console.print(f"{reports[0].strategy}: {reports[0].summary}", style="bold")
    for report in reports:
        for result in report.having("failed"):
            console.print()
            console.print(Text(f"{report.strategy}  {result.check}", "bold red"))
            console.print(Text(result.message), soft_wrap=True)
    if not all(report.ok for report in reports):
        sys.exit(1)


def _needing_nothing() -> list[str]:
    """The strategies that can be made without options."""
    return [
        entry.pinned
        for entry in sorted(registry().of_kind("strategy"), key=lambda entry: entry.pinned)
        if all(
            parameter.default is not parameter.empty
            for parameter in inspect.signature(entry.factory).parameters.values()
        )
    ]


def _run(subjects: list[Subject]) -> list[Report]:
    """Run all checks, and show on a terminal how far they are."""
    reports = []
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=len(subjects) * len(CHECKS))
        for subject in subjects:
            known: Mapping[str, str] = declared(subject)
            results: list[Result] = []
            for check in CHECKS:
                label = f"{subject.strategy.label} {check.__name__}"
                progress.update(task, description=label)
                results.append(run_check(check, subject, known))
                progress.advance(task)
            reports.append(Report(subject.strategy.label, tuple(results)))
    return reports


def _columns(*headings: tuple[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading, justify in headings:
        table.add_column(heading, justify=justify, no_wrap=heading in ("check", "strategy", "time"))
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
    """One line a strategy."""
    table = _columns(("strategy", "left"), ("outcome", "left"), ("time", "right"))
    for report in reports:
        seconds = sum(result.seconds for result in report.results)
        style = STYLES["passed" if report.ok else "failed"]
        table.add_row(report.strategy, Text(report.summary, style), f"{seconds:.2f} s")
    return table
