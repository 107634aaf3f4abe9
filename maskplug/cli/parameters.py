"""Parameter types and checks that several commands use."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from maskplug.errors import OptionError

#: The largest count; numba and matplotlib accept no larger integers.
LARGEST = 2**31 - 1


class OutFile(click.ParamType):  # type: ignore[type-arg]  # not generic in click 8.1
    """A file to write, validated before anything is computed or printed.

    Args:
        endings: allowed endings of the name, such as ``".svg"``; by default any.
    """

    name = "file"

    def __init__(self, *endings: str) -> None:
        self.endings = endings

    def convert(self, value: Any, param: click.Parameter | None, ctx: Any) -> Path:
        """Return the path with ``~`` expanded; fail if the file cannot be written."""
        try:
            path = Path(value).expanduser()
        except RuntimeError as error:  # ~nobody
            self.fail(f"{value} cannot be written: {error}", param, ctx)
        if self.endings and path.suffix.lower() not in self.endings:
            known = ", ".join(self.endings) if len(self.endings) > 2 else " or ".join(self.endings)
            message = f"{value!r} has an unknown format: a valid name ends with {known}"
            self.fail(message, param, ctx)
        if problem := _obstacle(path):
            self.fail(f"{value} cannot be written: {problem}", param, ctx)
        return path


def _obstacle(path: Path) -> str:
    """Return why a file cannot be written, or ""."""
    written = path
    try:
        if path.is_dir():
            return os.strerror(errno.EISDIR)
        path.stat()
    except FileNotFoundError:
        written = path.parent
        if not written.is_dir():
            return f"{os.strerror(errno.ENOENT)}: {written}"
    except (OSError, ValueError) as error:  # a part of the path is a file, or the name is invalid
        return getattr(error, "strerror", None) or str(error)
    return "" if os.access(written, os.W_OK) else f"{os.strerror(errno.EACCES)}: {written}"


class SampleKey(click.ParamType):  # type: ignore[type-arg]
    """The key of a sample: an integer if it has only digits, otherwise text."""

    name = "key"

    def convert(self, value: Any, param: click.Parameter | None, ctx: Any) -> int | str:
        """Return the key for ``key_of``."""
        if isinstance(value, int) or not value.isdecimal():
            return value  # type: ignore[no-any-return]
        if len(value) > len(str(2**64)):
            self.fail("a number must be from 0 to 2**64 - 1", param, ctx)
        return int(value)


def at_most_one(*names: str) -> None:
    """Raise a UsageError if more than one of these parameters is on the command line."""
    ctx = click.get_current_context()
    used = [
        name.upper() if isinstance(parameter, click.Argument) else parameter.opts[0]
        for parameter in ctx.command.params
        if (name := str(parameter.name)) in names
        and ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE
    ]
    if len(used) > 1:
        raise click.UsageError(f"{' and '.join(used)} exclude each other: pass one of them", ctx)


@contextmanager
def writing(out: Path) -> Iterator[None]:
    """Raise an OptionError with the file's name if the block cannot write it: the disk is full."""
    try:
        yield
    except OSError as error:
        raise OptionError(f"{out} cannot be written: {error.strerror}") from None


def keep_sources(out: Path, *sources: str | Path) -> None:
    """Raise an OptionError if the output file is one of the input files."""
    for source in map(Path, sources):
        if out.exists() and source.exists() and out.samefile(source):
            raise OptionError(f"--out is {out}, which is also an input: choose another file")
