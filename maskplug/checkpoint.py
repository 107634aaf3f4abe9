"""Comparison of the masking record of a checkpoint with the run that resumes from it."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any

from maskplug.errors import SpecMismatchError


def compare(
    saved: Any,
    current: Mapping[str, Any],
    describe: Callable[[Mapping[str, Any]], str],
    *,
    checkpoint: str,
    allow: bool,
    override: str,
    optional: Collection[str] = (),
) -> str | None:
    """Compare the masking record of a checkpoint with that of the current run.

    Args:
        saved: the record in the checkpoint, of any type: it may be damaged or written by another
            program; None if there is none.
        current: the record of this run: JSON values by name.
        describe: formats a record for the message; called for records with the names and types of
            ``current`` and any JSON values.
        checkpoint: name of the checkpoint in the message.
        allow: whether a difference is allowed.
        override: how the user allows a difference, for the message.
        optional: names that a record may lack.

    Returns:
        None for equal records; the text of a warning for a difference that is allowed.

    Raises:
        SpecMismatchError: for a difference that is not allowed, and for a missing or damaged
            record.

    Example:
        >>> options = {"checkpoint": "the checkpoint", "override": "--allow"}
        >>> compare({"seed": 7}, {"seed": 7}, str, allow=False, **options)
        >>> compare({"seed": 8}, {"seed": 7}, str, allow=True, **options)
        "the checkpoint was trained with {'seed': 8}; this run has {'seed': 7} (other: seed); ..."
    """
    problem = _problem(saved, current, describe, optional)
    if problem is None:
        return None
    message = " ".join(f"{checkpoint} {problem}".split())
    if not allow:
        raise SpecMismatchError(
            f"{message}. Resume with the same strategy, options and seed, or allow the new "
            f"ones: {override}"
        )
    return f"{message}; continuing with the new ones"


def _problem(
    saved: Any,
    current: Mapping[str, Any],
    describe: Callable[[Mapping[str, Any]], str],
    optional: Collection[str],
) -> str | None:
    if saved is None:
        return (
            "holds no masking spec, so it may have been trained with other masks; this run has "
            f"{describe(current)}"
        )
    damage = _damage(saved, current, optional)
    if damage:
        return (
            f"holds a damaged masking spec ({damage}), so it may have been trained with other "
            f"masks; this run has {describe(current)}"
        )
    missing = object()
    others = [
        name
        for name in dict.fromkeys((*current, *saved))
        if _json(saved.get(name, missing)) != _json(current.get(name, missing))
    ]
    if not others:
        return None
    return (
        f"was trained with {describe(saved)}; this run has {describe(current)} (other: "
        f"{', '.join(others)})"
    )


def _damage(saved: Any, current: Mapping[str, Any], optional: Collection[str]) -> str:
    """Return why a value is not a record of the form of ``current``; empty if it is one."""
    if not isinstance(saved, Mapping):
        return f"it is of type {type(saved).__name__}"
    if not all(isinstance(name, str) for name in saved):
        return "one of its names is not text"
    missing = [name for name in current if name not in saved and name not in optional]
    if missing:
        return f"it has no {missing[0]!r}"
    for name, value in saved.items():
        if name in current and type(value) is not type(current[name]):
            return f"its {name!r} is of type {type(value).__name__}"
        if _json(value) is None:
            return f"its {name!r} is not made of JSON values"
    return ""


def _json(value: Any) -> str | None:
    """Return the canonical JSON of a value (1 and true differ), or None if it has none."""
    try:
        return json.dumps(value, sort_keys=True)
    except (TypeError, ValueError, RecursionError):
        return None
