"""Find the strategies and patterns that a command works on."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import Any

from maskplug.errors import OptionError, UnknownNameError
from maskplug.plugins import registry
from maskplug.testing.pattern_subject import PatternSubject
from maskplug.testing.subject import Subject

SUBJECTS: Mapping[str, Any] = {"strategy": Subject, "pattern": PatternSubject}


def subjects_of(
    kinds: list[str], name: str | None, options: dict[str, Any], seed: int
) -> list[tuple[str, Any]]:
    """Return (kind, subject) for each kind that has this name, which may be an expression.

    Without a name, for everything that needs no options.

    Raises:
        UnknownNameError: when no kind has the name.
        OptionError: when there are options and both kinds have the name.
    """
    if name is None:
        names = [(kind, label) for kind in kinds for label in _buildable_without_options(kind)]
    else:
        names = [(kind, name) for kind in _kinds_of(name, kinds)]
    if len(names) > 1 and options:
        raise OptionError(
            f"{name!r} is a strategy and a pattern; select one with --kind to pass options"
        )
    return [(kind, SUBJECTS[kind].of(label, seed=seed, options=options)) for kind, label in names]


def _kinds_of(name: str, kinds: list[str]) -> list[str]:
    """Return the kinds that have this name; an expression is a pattern."""
    if "pattern" in kinds and not re.fullmatch(r"[\w.:@-]+", name):
        return ["pattern"]
    messages = {}
    for kind in kinds:
        try:
            registry().find(kind, name)
        except UnknownNameError as error:
            messages[kind] = str(error)
    if len(messages) == len(kinds):
        raise UnknownNameError("; ".join(messages.values()))
    return [kind for kind in kinds if kind not in messages]


def _buildable_without_options(kind: str) -> list[str]:
    return [
        entry.pinned
        for entry in sorted(registry().of_kind(kind), key=lambda entry: entry.pinned)
        if all(
            parameter.default is not parameter.empty
            for parameter in inspect.signature(entry.factory).parameters.values()
        )
    ]
