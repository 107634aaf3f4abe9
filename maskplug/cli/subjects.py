"""The strategies and patterns that a command is about, with batches that suit them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import Any

from maskplug.errors import OptionError, UnknownNameError
from maskplug.plugins import registry
from maskplug.testing.pattern_subject import PatternSubject
from maskplug.testing.subject import Subject

#: How a subject is made, by kind.
SUBJECTS: Mapping[str, Any] = {"strategy": Subject, "pattern": PatternSubject}


def subjects_of(
    kinds: list[str], name: str | None, options: dict[str, Any], seed: int
) -> list[tuple[str, Any]]:
    """Strategies and patterns by kind and name, ready to be used; without a name all that can be.

    Args:
        kinds: "strategy", "pattern".
        name: of one or of both; patterns may be expressions.
        options: of the one that is named.
        seed: of the rows and of the draws.

    Raises:
        UnknownNameError: when no kind has the name.
        OptionError: when it cannot be told whose the options are.
    """
    if name is None:
        found = [(kind, label) for kind in kinds for label in _needing_nothing(kind)]
    else:
        found = [(kind, name) for kind in kinds if _is(kind, name)]
    if not found:
        raise _unknown(str(name), kinds)
    if len(found) > 1 and options:
        raise OptionError(
            f"there is a strategy {name!r} and a pattern {name!r}; --kind says whose the options "
            "are"
        )
    return [(kind, SUBJECTS[kind].of(label, seed=seed, options=options)) for kind, label in found]


def _is(kind: str, name: str) -> bool:
    """Whether there is such a strategy or pattern; expressions are patterns."""
    if not re.fullmatch(r"[\w.:@-]+", name):
        return kind == "pattern"
    try:
        registry().find(kind, name)
    except UnknownNameError:
        return False
    return True


def _unknown(name: str, kinds: list[str]) -> UnknownNameError:
    """What each kind says of a name that none of them has."""
    said = []
    for kind in kinds:
        try:
            registry().find(kind, name)
        except UnknownNameError as error:
            said.append(str(error))
    return UnknownNameError("; ".join(said))


def _needing_nothing(kind: str) -> list[str]:
    """The strategies or patterns that can be made without options."""
    return [
        entry.pinned
        for entry in sorted(registry().of_kind(kind), key=lambda entry: entry.pinned)
        if all(
            parameter.default is not parameter.empty
            for parameter in inspect.signature(entry.factory).parameters.values()
        )
    ]
