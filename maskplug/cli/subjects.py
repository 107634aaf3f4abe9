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
    """Return (kind, subject) for each kind with this name, or for everything without options.

    Args:
        kinds: "strategy", "pattern".
        name: of a strategy, a pattern or both, or an expression of patterns.
        options: options of the name.
        seed: seed of the subjects.

    Raises:
        UnknownNameError: when no kind has the name.
        OptionError: when options are given and both kinds have the name.
    """
    if name is None:
        names = [(kind, label) for kind in kinds for label in _buildable_without_options(kind)]
    else:
        names = [(kind, name) for kind in kinds if _exists(kind, name)]
    if not names:
        raise _unknown(str(name), kinds)
    if len(names) > 1 and options:
        raise OptionError(
            f"{name!r} is a strategy and a pattern; select one with --kind to pass options"
        )
    return [(kind, SUBJECTS[kind].of(label, seed=seed, options=options)) for kind, label in names]


def _exists(kind: str, name: str) -> bool:
    if not re.fullmatch(r"[\w.:@-]+", name):
        return kind == "pattern"  # an expression
    try:
        registry().find(kind, name)
    except UnknownNameError:
        return False
    return True


def _unknown(name: str, kinds: list[str]) -> UnknownNameError:
    messages = []
    for kind in kinds:
        try:
            registry().find(kind, name)
        except UnknownNameError as error:
            messages.append(str(error))
    return UnknownNameError("; ".join(messages))


def _buildable_without_options(kind: str) -> list[str]:
    return [
        entry.pinned
        for entry in sorted(registry().of_kind(kind), key=lambda entry: entry.pinned)
        if all(
            parameter.default is not parameter.empty
            for parameter in inspect.signature(entry.factory).parameters.values()
        )
    ]
