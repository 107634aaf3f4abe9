"""What people see while a step works: a line for each thing that is done, and tables."""

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
    """Lines that move: what is done, a bar, a note, the time so far and the time that is left."""
    return Progress(
        SpinnerColumn(finished_text="[green]✓"), TextColumn("{task.description}"),
        BarColumn(bar_width=30), TextColumn("{task.fields[note]}"), TimeElapsedColumn(),
        TimeRemainingColumn(), console=console,
    )  # fmt: skip


@contextmanager
def moving(first: str = "") -> Iterator[Callable[[str], Tell]]:
    """Yields a function that begins a line, with a bar as soon as it hears how far things are."""
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
    """How many rows of each split are used, cut and left out by reason; the first, by name."""
    summary = work.facts()["summary"]
    reasons = sorted({why for counts in summary.values() for why in counts} - {"used", "truncated"})
    table = Table(title=title, title_justify="left")
    for name in ("split", "rows used", "truncated", *reasons):
        table.add_column(name, justify="left" if name == "split" else "right")
    for split, counts in summary.items():
        numbers = (f"{counts.get(name, 0):,}" for name in ("used", "truncated", *reasons))
        table.add_row(split, *numbers)
    console.print(table)
    for word, path in (("left out", work.skipped), ("cut", work.truncated)):
        first = path.read_text("utf-8").split("\n")[1:4]
        for file, line, why, detail in (row.split("\t") for row in first if row):
            console.print(f"[yellow]{word}[/] {escape(f'{file}, line {line}: {why} {detail}')}")
        if first[0]:
            console.print(f"all of them: {path}", markup=False)
    console.print(f"files are in {work.root}", markup=False)
