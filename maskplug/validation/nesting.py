"""Limits of nested parts.

Specs, fingerprints and masks are computed recursively; without a limit, deep nesting would end in a
RecursionError.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from maskplug.errors import OptionError
from maskplug.parts import Part
from maskplug.validation.options import MEMBERS, check_list

#: Maximum nesting depth of strategies, patterns, lists and brackets.
DEPTH = 50
#: Maximum number of nested parts, mappings and lists.
PARTS = 10_000


def check_nesting(value: Any) -> None:
    """Raise an OptionError when parts, mappings or lists exceed a limit, or are recursive."""
    level, count = [value], 0
    for _ in range(DEPTH + 1):
        inner = []
        for outer in level:
            for item in _inside(outer):
                inner.append(item)
                count += 1
                if count > PARTS:
                    raise OptionError(
                        f"more than {PARTS:,} nested parts and lists; use fewer strategies or "
                        "patterns"
                    )
        if not inner:
            return
        level = inner
    raise too_deep()


def check_members(name: str, members: Any) -> None:
    """Raise an OptionError when a list of strategies or patterns is empty or too long."""
    check_list(name, members)
    if not 1 <= len(members) <= MEMBERS:
        size = f"has {len(members):,} entries" if len(members) else "is empty"
        raise OptionError(f"option {name!r} {size}; it must have from 1 to {MEMBERS} entries")


def too_deep() -> OptionError:
    """Return the error for values that are nested too deep."""
    return OptionError(
        f"parts, lists or brackets are nested more than {DEPTH} deep; lists of strategies or "
        "patterns, '&' and '|' take many members side by side"
    )


def _inside(outer: Any) -> Iterator[Any]:
    """Yield the values one level deeper; a list among options does not count as a level."""
    for value in [outer] if isinstance(outer, list | tuple) else _values(outer):
        items = value if isinstance(value, list | tuple) else [value]
        yield from (item for item in items if isinstance(item, list | tuple | Mapping | Part))


def _values(outer: Any) -> Iterator[Any]:
    if isinstance(outer, Mapping):
        yield from outer.values()
    elif is_dataclass(outer):
        for field in fields(outer):
            value = getattr(outer, field.name, None)
            if not isinstance(value, Mapping):  # the options of a strategy repeat its fields
                yield value
