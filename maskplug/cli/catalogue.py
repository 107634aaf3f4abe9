"""``maskplug list`` and ``maskplug plugins``: show what is registered, and by whom."""

from __future__ import annotations

import inspect
import re

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from maskplug.errors import UnknownNameError, did_you_mean
from maskplug.plugins import plugins, registry
from maskplug.registry import KINDS, Entry


@click.command("list")
@click.argument("name", required=False)
def list_command(name: str | None) -> None:
    """List strategies and parts, or describe one of them.

    NAME is a strategy or part ("span"), or a kind ("strategy", "selector", "clock", …).
    """
    console = Console()
    if name is None or name in KINDS:
        for kind in KINDS if name is None else (name,):
            console.print(_table(kind))
        if name is None:
            console.print("For details: maskplug list NAME", style="dim")
        return
    entries = [e for e in registry().entries if name in (e.name, e.label)]
    if not entries:
        names = {e.name for e in registry().entries} | set(KINDS)
        raise UnknownNameError(f"nothing is registered as {name!r}{did_you_mean(name, names)}")
    for entry in entries:
        _describe(console, entry)


def _table(kind: str) -> Table:
    table = Table(title=kind, title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.add_column("name", style="cyan", no_wrap=True, min_width=16)
    table.add_column("from", no_wrap=True, style="dim")
    table.add_column("description")
    for entry in sorted(registry().of_kind(kind), key=lambda e: e.label):
        table.add_row(*map(escape, (entry.label, entry.provider, entry.summary)))
    return table


def _describe(console: Console, entry: Entry) -> None:
    console.print(f"[bold]{entry.kind}[/] [cyan]{entry.label}[/] [dim]from {entry.provider}[/]")
    doc = _wrapped(inspect.cleandoc(entry.factory.__doc__ or ""), console.width)
    console.print(doc, markup=False, highlight=False, soft_wrap=True)
    parameters = inspect.signature(entry.factory).parameters.values()
    if parameters:
        console.print("\nOptions:", style="bold")
    for parameter in parameters:
        console.print(f"  {_option(parameter)}", markup=False, soft_wrap=True)
    console.print()


def _wrapped(doc: str, width: int) -> str:
    """Wrap a docstring to a width from 20 to 100 characters; examples keep their lines."""
    text, *example = re.split(r"^(?=Example:)", doc, maxsplit=1, flags=re.M)
    text = re.sub(r"\n(?: {8}|  )(?=\S)", " ", text)  # lines that continue an argument or an item
    text = re.sub(r"^(?=(?: {4}|- )\S)", "\n", text, flags=re.M)  # each is a paragraph
    text = click.wrap_text(text, max(min(width, 100), 20), preserve_paragraphs=True)
    return "\n\n".join([re.sub(r"\n\n(?=(?: {4}|- )\S)", "\n", text), *example])


def _option(parameter: inspect.Parameter) -> str:
    """Return an option with its type and default: ``rate: float = 0.5``."""
    text, hint = parameter.name, parameter.annotation
    if hint is not parameter.empty:
        text += f": {hint if isinstance(hint, str) else inspect.formatannotation(hint)}"
    required = parameter.default is parameter.empty
    return f"{text} (required)" if required else f"{text} = {parameter.default!r}"


@click.command("plugins")
def plugins_command() -> None:
    """List installed plugins, what they register, and why broken ones are left out."""
    console = Console()
    if not plugins().installed:
        console.print("No plugins are installed. To list the built-ins: maskplug list")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("plugin", "distribution", "registers"):
        table.add_column(heading)
    for plugin in plugins().installed:
        entries = [e for e in registry().entries if e.provider == plugin.distribution]
        registered = escape(", ".join(f"{e.kind} {e.label}" for e in entries)) or "(hooks only)"
        if plugin.error:
            registered = f"[red]left out:[/] {escape(plugin.error)}"
        table.add_row(escape(plugin.name), escape(plugin.label), registered)
    console.print(table)
