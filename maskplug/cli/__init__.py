"""The ``maskplug`` command; each subcommand has a file."""

from __future__ import annotations

import codecs
import io
import os
import sys
from contextlib import suppress
from typing import Any

import click
import rich
from rich.text import Text

from maskplug import __version__
from maskplug.cli.attention import attention_command
from maskplug.cli.catalogue import list_command, plugins_command
from maskplug.cli.check import check_command
from maskplug.cli.compile import compile_command
from maskplug.cli.dictionary import dictionary_command
from maskplug.cli.doctor import doctor_command
from maskplug.cli.fairseq_dir import fairseq_dir_command
from maskplug.cli.ngrams import ngrams_command
from maskplug.cli.show import show_command
from maskplug.errors import MaskplugError


class Commands(click.Group):
    """A group that prints errors of input, files and encodings without a traceback."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command; print "?" for characters that the terminal's encoding lacks."""
        if not os.environ.get("COLUMNS", "80").strip("0"):
            del os.environ["COLUMNS"]  # rich prints nothing in a terminal of no columns
        out = sys.stdout
        if isinstance(out, io.TextIOWrapper) and (
            out.errors == "strict" or codecs.lookup(out.encoding).name != "utf-8"
        ):
            out.reconfigure(errors="replace")
        return super().main(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the subcommand; exit with 2 on errors of input, files and encodings."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # handled by click
            raise
        except (MaskplugError, OSError, UnicodeError) as error:
            message = Text.assemble(("Error: ", "bold red"), str(error))
            with suppress(OSError):
                rich.get_console().file.flush()
            rich.console.Console(stderr=True, soft_wrap=True).print(message)
            ctx.exit(2)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="maskplug")
def main() -> None:
    """Show masking strategies and attention patterns, check plugins and this installation."""


for _command in (
    list_command,
    show_command,
    attention_command,
    check_command,
    ngrams_command,
    dictionary_command,
    plugins_command,
    doctor_command,
    compile_command,
    fairseq_dir_command,
):
    main.add_command(_command)
