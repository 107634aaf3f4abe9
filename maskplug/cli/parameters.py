"""What the parameters of several commands have in common."""

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

#: A count, such as of epochs; numba's and matplotlib's integers end here.
LARGEST = 2**31 - 1


class OutFile(click.ParamType):  # type: ignore[type-arg]  # not generic in click 8.1
    """A file to write, checked before anything is computed or printed.

    Args:
        endings: what its name may end with, such as ``".svg"``; anything if there is none.
    """

    name = "file"

    def __init__(self, *endings: str) -> None:
        self.endings = endings

    def convert(self, value: Any, param: click.Parameter | None, ctx: Any) -> Path:
        """The path, with ``~`` expanded; fail when the file cannot be written."""
        try:
            path = Path(value).expanduser()
        except RuntimeError as error:  # ~nobody
            self.fail(f"{value} cannot be written: {error}", param, ctx)
        if self.endings and path.suffix.lower() not in self.endings:
            known = ", ".join(self.endings) if len(self.endings) > 2 else " or ".join(self.endings)
            self.fail(f"{value!r} is of no known format: its name ends with {known}", param, ctx)
        if problem := _obstacle(path):
            self.fail(f"{value} cannot be written: {problem}", param, ctx)
        return path


def _obstacle(path: Path) -> str:
    """Why a file cannot be written; empty if it can."""
    place = path
    try:
        if path.is_dir():
            return os.strerror(errno.EISDIR)
        path.stat()
    except FileNotFoundError:
        place = path.parent
        if not place.is_dir():
            return f"{os.strerror(errno.ENOENT)}: {place}"
    except (OSError, ValueError) as error:  # a part of the path is a file; an impossible name
        return getattr(error, "strerror", None) or str(error)
    return "" if os.access(place, os.W_OK) else f"{os.strerror(errno.EACCES)}: {place}"


class SampleKey(click.ParamType):  # type: ignore[type-arg]
    """The key of a sample: a number if it is spelt like one, else text."""

    name = "key"

    def convert(self, value: Any, param: click.Parameter | None, ctx: Any) -> int | str:
        """The key, as ``key_of`` takes it."""
        if isinstance(value, int) or not value.isdecimal():
            return value  # type: ignore[no-any-return]
        if len(value) > len(str(2**64)):
            self.fail("a number goes from 0 to 2**64 - 1", param, ctx)
        return int(value)


def at_most_one(*names: str) -> None:
    """Refuse a command line that gives more than one of these parameters.

    Raises:
        click.UsageError: naming those that were given.
    """
    ctx = click.get_current_context()
    used = [
        name.upper() if isinstance(parameter, click.Argument) else parameter.opts[0]
        for parameter in ctx.command.params
        if (name := str(parameter.name)) in names
        and ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE
    ]
    if len(used) > 1:
        raise click.UsageError(f"{' and '.join(used)} contradict each other: give one of them", ctx)


@contextmanager
def writing(out: Path) -> Iterator[None]:
    """Turn what the system refuses while a file is written into an error that names the file.

    Raises:
        OptionError: when the file cannot be written after all (a full disk).
    """
    try:
        yield
    except OSError as error:
        raise OptionError(f"{out} cannot be written: {error.strerror}") from None


def keep_sources(out: Path, *sources: str | Path) -> None:
    """Refuse to write over a file that is read.

    Raises:
        OptionError: when ``out`` is one of the sources.
    """
    for source in map(Path, sources):
        if out.exists() and source.exists() and out.samefile(source):
            raise OptionError(f"--out is {out}, which is read as well: give another file")
