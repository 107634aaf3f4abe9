"""``maskplug list`` and ``maskplug plugins``: what there is, and where it comes from."""

from __future__ import annotations

import inspect

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from maskplug.cli.paragraphs import fitted
from maskplug.errors import UnknownNameError, did_you_mean
from maskplug.plugins import plugins, registry
from maskplug.registry import KINDS, Entry


@click.command("list")
@click.argument("name", required=False)
def list_command(name: str | None) -> None:
    """List strategies and parts; with a NAME or a kind, tell more.

    NAME is a strategy or part ("span"), or a kind ("strategy", "selector", "clock", …).
    """
    console = Console()
    if name is None or name in KINDS:
        for kind in KINDS if name is None else (name,):
            console.print(_table(kind))
        if name is None:
            console.print("More about one of them: maskplug list NAME", style="dim")
        return
    found = [e for e in registry().entries if name in (e.name, e.label)]
    if not found:
        names = {e.name for e in registry().entries} | set(KINDS)
        raise UnknownNameError(f"nothing is called {name!r}{did_you_mean(name, names)}")
    for entry in found:
        _describe(console, entry)


def _table(kind: str) -> Table:
    table = Table(title=kind, title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.add_column("name", style="cyan", no_wrap=True, min_width=16)
    table.add_column("from", no_wrap=True, style="dim")
    table.add_column("what it does")
    for entry in sorted(registry().of_kind(kind), key=lambda e: e.label):
        table.add_row(*map(escape, (entry.label, entry.provider, entry.summary)))
    return table


def _describe(console: Console, entry: Entry) -> None:
    console.print(f"[bold]{entry.kind}[/] [cyan]{entry.label}[/] [dim]from {entry.provider}[/]")
    doc = fitted(inspect.cleandoc(entry.factory.__doc__ or ""), console.width)
    console.print(doc, markup=False, highlight=False, soft_wrap=True)
    parameters = inspect.signature(entry.factory).parameters.values()
    if parameters:
        console.print("\nOptions:", style="bold")
    for parameter in parameters:
        console.print(f"  {_option(parameter)}", markup=False, soft_wrap=True)
    console.print()


def _option(parameter: inspect.Parameter) -> str:
    """An option with its type, where it has one, and its default: ``rate: float = 0.5``."""
    text, hint = parameter.name, parameter.annotation
    if hint is not parameter.empty:
        text += f": {hint if isinstance(hint, str) else inspect.formatannotation(hint)}"
    required = parameter.default is parameter.empty
    return f"{text} (required)" if required else f"{text} = {parameter.default!r}"


@click.command("plugins")
def plugins_command() -> None:
    """List installed plugins, what they register, and why broken ones were left out."""
    console = Console()
    found = plugins().found
    if not found:
        console.print("No plugins are installed; the built-ins are there (maskplug list).")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("plugin", "distribution", "registers"):
        table.add_column(heading)
    for plugin in found:
        entries = [e for e in registry().entries if e.provider == plugin.distribution]
        names = ", ".join(f"{e.kind} {e.label}" for e in entries)
        table.add_row(
            escape(plugin.name),
            escape(plugin.label),
            f"[red]left out:[/] {escape(plugin.error)}"
            if plugin.error
            else escape(names) or "(hooks only)",
        )
    console.print(table)
