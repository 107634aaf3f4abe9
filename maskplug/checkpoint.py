"""The comparison of a checkpoint's masking record with the run that resumes it."""

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
    """Compare a checkpoint's masking record with that of the run that resumes it.

    Args:
        saved: what the checkpoint holds, of any type and content: it may be damaged, or written by
            another program. None where it holds nothing.
        current: the record of this run: JSON values by name.
        describe: a record in words; it is called for records whose names and types are those of
            ``current``, and must bear any JSON value within.
        checkpoint: what the message calls the checkpoint.
        allow: whether a difference is allowed.
        override: how the user allows it, for the message.
        optional: names that a record may lack.

    Returns:
        None for equal records; where a difference is allowed, the warning to give.

    Raises:
        SpecMismatchError: for a difference that is not allowed, also for a record that is missing
            or damaged.

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
            f"{message}. Resume with the same strategy, options and seed, or go on with the new "
            f"ones: {override}"
        )
    return f"{message}; going on with the new ones, as told"


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
    """What keeps a value from being a record of the form of ``current``; empty if nothing does."""
    if not isinstance(saved, Mapping):
        return f"it is of type {type(saved).__name__}"
    if not all(isinstance(name, str) for name in saved):
        return "a name in it is no text"
    missing = [name for name in current if name not in saved and name not in optional]
    if missing:
        return f"it has no {missing[0]!r}"
    for name, value in saved.items():
        if name in current and type(value) is not type(current[name]):
            return f"its {name!r} is of type {type(value).__name__}"
        if _json(value) is None:
            return f"its {name!r} holds other things than JSON values"
    return ""


def _json(value: Any) -> str | None:
    """The canonical JSON of a value, which tells 1 from true; None where it has none."""
    try:
        return json.dumps(value, sort_keys=True)
    except (TypeError, ValueError, RecursionError):
        return None
