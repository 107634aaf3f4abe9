"""What authors of parts get wrong first: checked when a part is made, with a message that says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from inspect import get_annotations, isabstract
from typing import Any

from maskplug.errors import PluginError


def check_class(cls: type) -> None:
    """Refuse a class of parts that cannot do its work.

    Raises:
        PluginError: when a method is missing (near names are suggested), it is no frozen dataclass,
            or it adds options without being decorated.
    """
    who = f"{getattr(cls, 'kind', 'part')} {cls.__name__}"
    if isabstract(cls):
        missing = sorted(cls.__abstractmethods__)
        own = [name for name in vars(cls) if not name.startswith("__")]
        near = get_close_matches(missing[0], own, n=1)
        hint = f"; is {near[0]!r} meant to be it?" if near else ""
        methods = ", ".join(map(repr, missing))
        raise PluginError(f"{who} lacks the method{'s' * (len(missing) > 1)} {methods}{hint}")
    if not is_dataclass(cls):
        raise PluginError(
            f"{who}: {cls.__name__} is not a dataclass; parts are frozen dataclasses: write "
            "@dataclass(frozen=True) above the class"
        )
    if not cls.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        raise PluginError(f"{who} can be changed after it was made; write @dataclass(frozen=True)")
    if "__dataclass_fields__" not in vars(cls) and (added := _annotated(cls) - option_names(cls)):
        raise PluginError(
            f"{who} adds {', '.join(map(repr, sorted(added)))} and is not a dataclass itself, so "
            "that no spec would name it; write @dataclass(frozen=True) above the class"
        )


def check_arguments(cls: type, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """Refuse arguments for options that lack their annotation, which makes them no options.

    Raises:
        PluginError: names the attribute, and says how to write it.
    """
    options = option_names(cls)
    surplus = len(args) > len(options)
    if not surplus and options.issuperset(kwargs):
        return
    for name in sorted(unannotated(cls) if surplus else unannotated(cls) & set(kwargs)):
        raise PluginError(f"{cls.__name__}: {without_annotation(cls, name)}")


def option_names(cls: type) -> set[str]:
    """The names of a dataclass's fields."""
    return {item.name for item in fields(cls)} if is_dataclass(cls) else set()


def _annotated(cls: type) -> set[str]:
    """What the class itself annotates as belonging to its instances."""
    return {n for n, hint in get_annotations(cls).items() if "ClassVar" not in str(hint)}


def unannotated(cls: type) -> set[str]:
    """The plain values among the attributes of a class that its bases do not have."""
    inherited = {name for base in cls.__mro__[1:] for name in vars(base)}
    plain = (bool, int, float, str, tuple, type(None))
    own = {n for n, value in vars(cls).items() if isinstance(value, plain) and n[:2] != "__"}
    return own - inherited - option_names(cls)


def without_annotation(cls: type, name: str) -> str:
    """What to say of an attribute that was meant to be an option."""
    value = getattr(cls, name)
    return (
        f"{name!r} has no annotation, so that it is no option; write "
        f"'{name}: {type(value).__name__} = {value!r}'"
    )
