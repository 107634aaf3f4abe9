"""The registry: ``[distribution:]name[@version]`` → factory of a part or strategy."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from inspect import cleandoc, isclass
from typing import Any

from maskplug.errors import (
    PASSED_ON,
    ConflictError,
    MaskplugError,
    PluginError,
    UnknownNameError,
    described,
    did_you_mean,
    shortened,
)
from maskplug.parts import Part
from maskplug.validation import definitions

BUILTIN = "maskplug"
KINDS = ("strategy", "selector", "replacement", "target", "clock", "schedule", "pattern")
NAME = re.compile(r"(?:(?P<provider>[^:@]+):)?(?P<name>[^:@]+)(?:@(?P<version>\d{1,9}))?\Z")


@dataclass(frozen=True)
class Entry:
    """A registered factory and its provider."""

    kind: str
    name: str
    version: int
    factory: Callable[..., Any]
    provider: str

    @property
    def label(self) -> str:
        """Name and version: ``span@1``."""
        return f"{self.name}@{self.version}"

    @property
    def pinned(self) -> str:
        """The name in specs: with the distribution unless it is a built-in."""
        return self.label if self.provider == BUILTIN else f"{self.provider}:{self.label}"

    def make(self, options: Mapping[str, Any]) -> Part:
        """Call the factory.

        Raises:
            PluginError: when it raises another error than MaskplugError, or returns another type.
        """
        who = f"the factory of {self.kind} {self.pinned!r}"
        try:
            part = self.factory(**options)
        except (MaskplugError, *PASSED_ON):
            raise
        except BaseException as error:  # a plugin must not end the process by SystemExit
            raise PluginError(f"{who} raised {described(error)}") from error
        if not isinstance(part, Part) or part.kind != self.kind:
            raise PluginError(
                f"{who} returned {shortened(part)}; it must return a "
                f"maskplug.{self.kind.capitalize()}"
                f"{' (is a return missing?)' if part is None else ''}"
            )
        return part

    @property
    def summary(self) -> str:
        """The first line of the factory's docstring."""
        lines = cleandoc(self.factory.__doc__ or "").splitlines()
        return lines[0].replace("``", "") if lines else ""


@dataclass
class Registry:
    """All entries. Two providers of one name are an error only when the name is used."""

    entries: list[Entry] = field(default_factory=list)
    #: Plugins that failed to load, for messages: distribution → reason.
    failures: dict[str, str] = field(default_factory=dict)

    def add(self, entry: Entry) -> None:
        """Add an entry.

        Raises:
            PluginError: for an invalid kind, name or version, a factory that is not callable, and
                a name and version that the provider has already registered.
        """
        where = f"{entry.provider} registers {entry.kind} {entry.name!r}"
        if entry.kind not in KINDS:
            raise PluginError(f"{where}: no such kind{did_you_mean(str(entry.kind), KINDS)}")
        if not isinstance(entry.name, str) or not re.fullmatch(r"[^:@\s]+", entry.name):
            raise PluginError(f"{where}: names contain no ':', '@' or whitespace")
        if type(entry.version) is not int or entry.version < 1:
            raise PluginError(f"{where} as version {entry.version!r}: versions are integers from 1")
        if not callable(entry.factory):
            raise PluginError(f"{where}: {entry.factory!r} cannot be called")
        if isclass(entry.factory):
            self._check_class(entry, where)
        registered = {(other.provider, other.label) for other in self.of_kind(entry.kind)}
        if (entry.provider, entry.label) in registered:
            raise PluginError(f"{where}@{entry.version} twice")
        self.entries.append(entry)

    def _check_class(self, entry: Entry, where: str) -> None:
        """Raise unless a class is a complete frozen dataclass of this kind."""
        kind = getattr(entry.factory, "kind", None)
        if not issubclass(entry.factory, Part) or kind != entry.kind:  # type: ignore[arg-type]
            raise PluginError(
                f"{where}: the class {entry.factory.__name__} is "
                f"{f'a {kind}' if kind in KINDS else 'no part'}; a {entry.kind} is a subclass of "
                f"maskplug.{entry.kind.capitalize()}"
            )
        try:
            definitions.check_methods(entry.factory)  # type: ignore[arg-type]
            definitions.check_dataclass(entry.factory)  # type: ignore[arg-type]
        except PluginError as error:
            raise PluginError(f"{where}: {error}") from None

    def of_kind(self, kind: str) -> list[Entry]:
        """Return the entries of a kind in order of registration."""
        return [entry for entry in self.entries if entry.kind == kind]

    def find(self, kind: str, text: str) -> Entry:
        """Return the entry of ``[distribution:]name[@version]``; the newest version by default.

        A name with version and without distribution is a built-in, if there is one.

        Raises:
            UnknownNameError: for an unknown name or version; similar names are suggested.
            ConflictError: when several distributions provide it and none is named.
        """
        if not isinstance(kind, str) or kind not in KINDS:
            hint = did_you_mean(kind if isinstance(kind, str) else "", KINDS)
            raise UnknownNameError(f"there is no kind {shortened(kind)}{hint}")
        match = NAME.match(text) if isinstance(text, str) else None
        if match is None:
            raise UnknownNameError(
                f"{kind} {shortened(text)}: a name looks like 'span' or 'span@1'"
            )
        provider, name, version = match["provider"], match["name"], match["version"]
        named = [e for e in self.of_kind(kind) if e.name == name]
        if provider:
            named = [e for e in named if e.provider == provider]
        if not named:
            raise UnknownNameError(self._unknown(kind, text, name))
        wanted = int(version) if version else max(e.version for e in named)
        exact = [e for e in named if e.version == wanted]
        if not exact:
            have = ", ".join(sorted({e.label for e in named}))
            raise UnknownNameError(f"{kind} {name!r} has no version {wanted}; there is: {have}")
        built_in = [e for e in exact if e.provider == BUILTIN]
        if version and built_in:  # in specs, other names include their distribution
            return built_in[0]
        if len({e.provider for e in named}) > 1:
            choices = " or ".join(sorted({repr(f"{e.provider}:{e.name}") for e in named}))
            raise ConflictError(f"{kind} {name!r} has several providers; use {choices}")
        return exact[0]

    def _unknown(self, kind: str, text: str, name: str) -> str:
        hint = did_you_mean(name, {e.name for e in self.of_kind(kind)})
        message = f"unknown {kind} {shortened(text)}{hint}"
        for provider, reason in self.failures.items():
            message += (
                f"; the plugin {provider}, which may provide it, failed to load ({reason}): fix or "
                "uninstall it"
            )
        return message
