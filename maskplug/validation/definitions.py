"""What authors of parts get wrong first: checks of their classes, with messages that say it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from inspect import get_annotations, isabstract
from typing import Any

from maskplug.errors import PluginError


def check_methods(cls: type) -> None:
    """Refuse a class of parts that lacks a method.

    Raises:
        PluginError: names the method, and one of a near name.
    """
    if not isabstract(cls):
        return
    missing = sorted(cls.__abstractmethods__)  # type: ignore[attr-defined]
    own = [name for name in vars(cls) if not name.startswith("__")]
    near = get_close_matches(missing[0], own, n=1)
    hint = f"; rename {near[0]!r}?" if near else ""
    methods = ", ".join(map(repr, missing))
    raise PluginError(f"{_named(cls)} lacks the method{'s' * (len(missing) > 1)} {methods}{hint}")


def check_dataclass(cls: type) -> None:
    """Refuse a class of parts whose options could not be known, or could change.

    Raises:
        PluginError: when it is no frozen dataclass, or adds options without being decorated.
    """
    remedy = "write @dataclass(frozen=True) above the class"
    if not is_dataclass(cls):
        raise PluginError(
            f"{_named(cls)} is not a dataclass; parts are frozen dataclasses: {remedy}"
        )
    if not cls.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        raise PluginError(
            f"{_named(cls)} is not frozen, so that its options could change: {remedy}"
        )
    if "__dataclass_fields__" not in vars(cls) and (named := _annotated(cls)):
        raise PluginError(
            f"{_named(cls)} annotates {', '.join(map(repr, sorted(named)))} and is not a dataclass "
            f"itself, so that this is no option: {remedy}"
        )


def _named(cls: type) -> str:
    return f"{getattr(cls, 'kind', 'part')} {cls.__name__}"


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
