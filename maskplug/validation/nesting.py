"""How deep parts may be nested, and how many there may be in one another.

What reads them (specs, fingerprints, masks) calls itself for each level, so that Python would
end in a RecursionError a few hundred levels deep.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from maskplug.errors import OptionError
from maskplug.parts import Part
from maskplug.validation.options import MEMBERS, check_list

#: How deep strategies, patterns, lists and brackets may be nested.
DEPTH = 50
#: How many parts, mappings and lists there may be at all levels together.
PARTS = 10_000


def check_nesting(value: Any) -> None:
    """Refuse parts, mappings or lists that are nested too deep, or too many of them.

    It does not call itself, and stops at the limits: values that contain themselves are refused
    like all others.

    Args:
        value: a part, or the options of one as mappings and lists.

    Raises:
        OptionError: naming the limit.
    """
    level, count = [value], 0
    for _ in range(DEPTH + 1):
        inner = []
        for outer in level:
            for item in _inside(outer):
                inner.append(item)
                count += 1
                if count > PARTS:
                    raise OptionError(
                        f"there are more than {PARTS:,} parts and lists in one another; use fewer "
                        "strategies or patterns"
                    )
        if not inner:
            return
        level = inner
    raise too_deep()


def check_members(name: str, members: Any) -> None:
    """Refuse a list of strategies or patterns that is empty or too long.

    Raises:
        OptionError: naming the option, the number of entries and the range.
    """
    check_list(name, members)
    if not 1 <= len(members) <= MEMBERS:
        size = f"has {len(members):,} entries" if len(members) else "is empty"
        raise OptionError(f"option {name!r} {size}; it must have from 1 to {MEMBERS} entries")


def too_deep() -> OptionError:
    """The error for what is nested too deep."""
    return OptionError(
        f"parts, lists or brackets are nested more than {DEPTH} deep; lists of strategies or "
        "patterns, '&' and '|' take many members side by side"
    )


def _inside(outer: Any) -> Iterator[Any]:
    """What stands one level deeper; a list among options is no level of its own."""
    if isinstance(outer, list | tuple):
        yield from filter(_contains, outer)
        return
    for value in _values(outer):
        if isinstance(value, list | tuple):
            yield from filter(_contains, value)
        elif _contains(value):
            yield value


def _values(outer: Any) -> Iterator[Any]:
    if isinstance(outer, Mapping):
        yield from outer.values()
    elif is_dataclass(outer):
        for field in fields(outer):
            value = getattr(outer, field.name, None)
            if not isinstance(value, Mapping):  # a strategy's options say its fields once more
                yield value


def _contains(value: Any) -> bool:
    return isinstance(value, list | tuple | Mapping | Part)
