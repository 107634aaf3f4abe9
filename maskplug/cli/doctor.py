"""``maskplug doctor``: find problems of this installation and their remedies."""

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

from maskplug.cli.tokenizers import quiet
from maskplug.errors import MaskplugWarning
from maskplug.kernels.compilation import folder, kept, kernels
from maskplug.plugins import plugins


@dataclass(frozen=True)
class Finding:
    """One line of the report; ``remedy`` is empty if there is no problem."""

    name: str
    state: str
    remedy: str = ""
    optional: bool = False


def distribution(name: str) -> str | None:
    """Return the installed version of a distribution, or None."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def imported(name: str, installed: str, remedy: str) -> Finding:
    """Check whether an installed library can be imported."""
    try:
        import_module(name)
    except Exception as error:
        cause = (str(error).splitlines() or [""])[0]
        return Finding(name, f"{installed}, cannot be imported: {cause}", remedy)
    return Finding(name, installed)


def library(name: str, needed_for: str) -> Finding:
    """Check whether an optional library is installed and can be imported."""
    installed = distribution(name)
    if installed is None:
        return Finding(name, f"not installed (only needed for {needed_for})", optional=True)
    return imported(name, installed, f"reinstall {name}")


def torchaudio() -> Finding:
    """Check torchaudio: if it cannot load, no transformers model can be imported."""
    return imported(
        "torchaudio",
        distribution("torchaudio") or "",
        "pip uninstall torchaudio (fairseq's text tasks do not need it, and no transformers "
        "model can be imported with it), or install the build that matches torch",
    )


def fairseq() -> Finding:
    """Check fairseq, which must come from the distribution for this Python and torch."""
    fixed, original = distribution("fairseq-fixed"), distribution("fairseq")
    advice = (
        "pip uninstall fairseq, then pip install --no-deps fairseq-fixed (without --no-deps, pip "
        "installs another torchaudio)"
    )
    if fixed is None and original is None:
        return Finding("fairseq", "not installed (only needed for fairseq)", optional=True)
    finding = imported("fairseq", f"fairseq-fixed {fixed}" if fixed else str(original), advice)
    if fixed is None and not finding.remedy:
        return Finding("fairseq", f"fairseq {original}: too old for Python 3.11 and later", advice)
    return finding


def cache() -> Finding:
    """Check whether numba can store compiled kernels, so that workers do not compile."""
    with warnings.catch_warnings():  # the finding has the remedy
        warnings.simplefilter("ignore", MaskplugWarning)
        path = folder()
        number = 0 if path is None else kept(path)
    if path is None:
        return Finding(
            "kernel cache",
            "there is no writable folder, so each process compiles its kernels again",
            "set NUMBA_CACHE_DIR to a writable folder",
        )
    return Finding("kernel cache", f"{number} of {len(kernels())} kernels, in {path}")


def findings() -> Iterator[Finding]:
    """Yield all findings."""
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
    for plugin in plugins().installed:
        yield Finding(
            f"plugin {plugin.name}",
            plugin.error or plugin.label,
            f"repair or uninstall {plugin.label}" if plugin.error else "",
        )


@click.command("doctor")
def doctor_command() -> None:
    """Check this installation; exit with 1 if there is a problem."""
    table = Table(box=None, pad_edge=False, show_header=False)
    remedies = []
    with quiet():
        results = list(findings())
    for finding in results:
        mark = "[red]✗[/]" if finding.remedy else "[dim]–[/]" if finding.optional else "[green]✓[/]"
        table.add_row(mark, escape(finding.name), escape(finding.state))
        if finding.remedy:
            remedies.append(finding)
    console = Console(highlight=False)
    console.print(table)
    for finding in remedies:
        console.print(f"[bold red]{escape(finding.name)}:[/] {escape(finding.remedy)}")
    if remedies:
        sys.exit(1)
    console.print("No problems found.", style="green")
