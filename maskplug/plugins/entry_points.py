"""Reading of entry points of installed distributions, some of which may be damaged."""

from __future__ import annotations

from contextlib import suppress
from importlib.metadata import Distribution, EntryPoint, distributions
from typing import NamedTuple

from maskplug.hookspecs import PROJECT


class Provided(NamedTuple):
    """An entry point of the group ``maskplug`` with the name and version of its distribution."""

    entry_point: EntryPoint
    distribution: str
    version: str


class Unreadable(NamedTuple):
    """A distribution whose entry points cannot be read: name (or path), version and error."""

    distribution: str
    version: str
    error: Exception


def entry_points() -> tuple[list[Provided], list[Unreadable]]:
    """Return the entry points of the group ``maskplug``, and the unreadable distributions."""
    provided: dict[tuple[str, str], Provided] = {}
    unreadable: dict[str, Unreadable] = {}
    for distribution in distributions():
        try:
            points = [p for p in distribution.entry_points if p.group == PROJECT]
        except Exception as error:  # damaged files raise various errors
            broken = Unreadable(*_identity(distribution), error)
            unreadable.setdefault(broken.distribution, broken)
            continue
        for point in points:
            name, version = _identity(distribution)
            # Editable installs can appear twice on the path.
            provided.setdefault((name, point.name), Provided(point, name, version))
    return [provided[key] for key in sorted(provided)], list(unreadable.values())


def _identity(distribution: Distribution) -> tuple[str, str]:
    """Return name and version; the path if the metadata is missing or damaged."""
    name = version = ""
    with suppress(Exception):
        name, version = distribution.metadata["Name"], distribution.version
    path = getattr(distribution, "_path", None) or distribution.locate_file("")
    return name or str(path), version or "(no version)"
