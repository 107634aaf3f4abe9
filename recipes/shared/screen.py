"""Show the progress of steps, and tables, in the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from recipes.shared.running import Tell
from recipes.shared.workspace import Workspace

console = Console(highlight=False, soft_wrap=True)


def bars() -> Progress:
    """Return a progress display: title, bar, note, elapsed and remaining time."""
    return Progress(
        SpinnerColumn(finished_text="[green]✓"), TextColumn("{task.description}"),
        BarColumn(bar_width=30), TextColumn("{task.fields[note]}"), TimeElapsedColumn(),
        TimeRemainingColumn(), console=console,
    )  # fmt: skip


@contextmanager
def moving(first: str = "") -> Iterator[Callable[[str], Tell]]:
    """Yield a function that begins a line, and returns a function for its progress."""
    with bars() as progress:
        running: list[TaskID] = []

        def end() -> None:
            for task in running:
                progress.update(task, total=1, completed=1, note="")
            running.clear()

        def step(title: str) -> Tell:
            end()
            task = progress.add_task(title, total=None, note="")
            running.append(task)

            def tell(done: float, total: float, note: str) -> None:
                progress.update(task, completed=done, total=total, note=note)

            return tell

        if first:
            step(first)
        yield step
        end()


def show_summary(work: Workspace, title: str) -> None:
    """Print the numbers of used, truncated and skipped rows, and the first of the latter."""
    summary = work.facts()["summary"]
    reasons = sorted({why for counts in summary.values() for why in counts} - {"used", "truncated"})
    table = Table(title=title, title_justify="left")
    for name in ("split", "rows used", "truncated", *reasons):
        table.add_column(name, justify="left" if name == "split" else "right")
    for split, counts in summary.items():
        numbers = (f"{counts.get(name, 0):,}" for name in ("used", "truncated", *reasons))
        table.add_row(split, *numbers)
    console.print(table)
    for word, path in (("skipped", work.skipped), ("truncated", work.truncated)):
        first = path.read_text("utf-8").split("\n")[1:4]
        for file, line, why, detail in (row.split("\t") for row in first if row):
            console.print(f"[yellow]{word}[/] {escape(f'{file}, line {line}: {why} {detail}')}")
        if first[0]:
            console.print(f"all {word} rows: {path}", markup=False)
    console.print(f"files are in {work.root}", markup=False)
