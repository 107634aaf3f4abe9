"""``maskplug fairseq-dir``: print the folder for fairseq's ``--user-dir``."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import click

from maskplug.errors import PluginError


def fairseq_dir() -> Path:
    """Return the folder of ``maskplug_fairseq`` without importing it (or fairseq).

    Raises:
        PluginError: when the package is not installed.
    """
    spec = find_spec("maskplug_fairseq")
    if spec is None or spec.origin is None:
        raise PluginError("maskplug_fairseq is not installed; reinstall maskplug")
    return Path(spec.origin).parent


@click.command("fairseq-dir")
def fairseq_dir_command() -> None:
    """Print the folder for fairseq: --user-dir $(maskplug fairseq-dir)."""
    click.echo(fairseq_dir())
