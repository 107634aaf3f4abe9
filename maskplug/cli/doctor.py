"""``maskplug doctor``: is this installation sound, and what to do if it is not."""

from __future__ import annotations

import platform
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from maskplug.cli.quiet import quiet
from maskplug.errors import MaskplugWarning
from maskplug.kernels.compilation import folder, kept, kernels
from maskplug.plugins import plugins


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's report; ``remedy`` is empty when all is well."""

    what: str
    state: str
    remedy: str = ""
    optional: bool = False


def distribution(name: str) -> str | None:
    """The installed version of a distribution, or None."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def library(name: str, needed_for: str) -> Finding:
    """Whether an optional library is there and can be imported."""
    found = distribution(name)
    if found is None:
        return Finding(name, f"not installed (only needed for {needed_for})", optional=True)
    try:
        import_module(name)
    except Exception as error:
        return Finding(name, f"{found}, cannot be imported: {error}", f"reinstall {name}")
    return Finding(name, found)


def torchaudio() -> Finding:
    """A torchaudio that cannot load breaks every import of a transformers model."""
    found = distribution("torchaudio") or ""
    try:
        import_module("torchaudio")
    except Exception as error:
        return Finding(
            "torchaudio",
            f"{found}, cannot be imported: {str(error).splitlines()[0]}",
            "pip uninstall torchaudio (fairseq's text tasks do not need it, and while it cannot "
            "load no transformers model can be imported), or install the build that matches torch",
        )
    return Finding("torchaudio", found)


def fairseq() -> Finding:
    """Fairseq itself, from the distribution that runs on this Python and torch."""
    fixed, original = distribution("fairseq-fixed"), distribution("fairseq")
    advice = (
        "pip uninstall fairseq, then pip install --no-deps fairseq-fixed (without --no-deps it "
        "brings a torchaudio of its own)"
    )
    if fixed is None and original is None:
        return Finding("fairseq", "not installed (only needed for fairseq)", optional=True)
    try:
        import_module("fairseq")
    except Exception as error:
        return Finding("fairseq", f"{fixed or original}, cannot be imported: {error}", advice)
    if fixed is None:
        return Finding("fairseq", f"fairseq {original}: too old for Python 3.11 and later", advice)
    return Finding("fairseq", f"fairseq-fixed {fixed}")


def cache() -> Finding:
    """Whether numba can keep compiled kernels, so that workers do not compile them again."""
    with warnings.catch_warnings():  # the remedy says it all
        warnings.simplefilter("ignore", MaskplugWarning)
        where = folder()
        number = 0 if where is None else kept(where)
    if where is None:
        return Finding(
            "kernel cache",
            "no folder can be written to, so each process compiles its kernels again",
            "set NUMBA_CACHE_DIR to a folder that can be written to",
        )
    return Finding("kernel cache", f"{number} of {len(kernels())} kernels, in {where}")


def findings() -> Iterator[Finding]:
    """Everything that the doctor looks at."""
    yield Finding("python", platform.python_version())
    for name in ("maskplug", "numpy", "numba", "pluggy"):
        yield Finding(
            name,
            distribution(name) or "not installed",
            "" if distribution(name) else "reinstall maskplug",
        )
    yield cache()
    yield library("torch", "Hugging Face and fairseq")
    if distribution("torchaudio"):
        yield torchaudio()
    yield library("transformers", "Hugging Face")
    yield library("accelerate", "Hugging Face's Trainer")
    yield fairseq()
    yield library("sentencepiece", "SentencePiece models")
    for plugin in plugins().found:
        yield Finding(
            f"plugin {plugin.name}",
            plugin.error or plugin.label,
            f"repair or uninstall {plugin.label}" if plugin.error else "",
        )


@click.command("doctor")
def doctor_command() -> None:
    """Check this installation; the exit code is 1 when something needs a remedy."""
    table = Table(box=None, pad_edge=False, show_header=False)
    remedies = []
    with quiet():
        found = list(findings())
    for finding in found:
        mark = "[red]✗[/]" if finding.remedy else "[dim]–[/]" if finding.optional else "[green]✓[/]"
        table.add_row(mark, escape(finding.what), escape(finding.state))
        if finding.remedy:
            remedies.append(finding)
    console = Console(highlight=False)
    console.print(table)
    for finding in remedies:
        console.print(f"[bold red]{escape(finding.what)}:[/] {escape(finding.remedy)}")
    if remedies:
        sys.exit(1)
    console.print("All is well.", style="green")
