"""Checks of classes of parts: methods, frozen dataclass, annotated options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from inspect import get_annotations, isabstract
from typing import Any

from maskplug.errors import PluginError


def check_methods(cls: type) -> None:
    """Raise a PluginError when a class lacks an abstract method; suggest one to rename."""
    if not isabstract(cls):
        return
    missing = sorted(cls.__abstractmethods__)  # type: ignore[attr-defined]
    defined = [name for name in vars(cls) if not name.startswith("__")]
    near = get_close_matches(missing[0], defined, n=1)
    hint = f"; rename {near[0]!r}?" if near else ""
    methods = ", ".join(map(repr, missing))
    raise PluginError(f"{_named(cls)} lacks the method{'s' * (len(missing) > 1)} {methods}{hint}")


def check_dataclass(cls: type) -> None:
    """Raise a PluginError unless a class, subclasses included, is a frozen dataclass."""
    remedy = "write @dataclass(frozen=True) above the class"
    if not is_dataclass(cls):
        raise PluginError(
            f"{_named(cls)} is not a dataclass; parts are frozen dataclasses: {remedy}"
        )
    if not cls.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        raise PluginError(f"{_named(cls)} is not frozen: its options could change: {remedy}")
    if "__dataclass_fields__" not in vars(cls) and (named := _annotated(cls)):
        raise PluginError(
            f"{_named(cls)} annotates {', '.join(map(repr, sorted(named)))} but is not a "
            f"dataclass, so that these are not options: {remedy}"
        )


def _named(cls: type) -> str:
    return f"{getattr(cls, 'kind', 'part')} {cls.__name__}"


def check_arguments(cls: type, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """Raise a PluginError for arguments that name attributes without a type annotation."""
    options = option_names(cls)
    surplus = len(args) > len(options)
    if not surplus and options.issuperset(kwargs):
        return
    for name in sorted(unannotated(cls) if surplus else unannotated(cls) & set(kwargs)):
        raise PluginError(f"{cls.__name__}: {without_annotation(cls, name)}")


def option_names(cls: type) -> set[str]:
    """Return the field names of a dataclass; empty for other classes."""
    return {item.name for item in fields(cls)} if is_dataclass(cls) else set()


def _annotated(cls: type) -> set[str]:
    """Return the names that a class itself annotates, class variables excluded."""
    return {n for n, hint in get_annotations(cls).items() if "ClassVar" not in str(hint)}


def unannotated(cls: type) -> set[str]:
    """Return new class attributes with plain values and without annotation."""
    inherited = {name for base in cls.__mro__[1:] for name in vars(base)}
    plain = (bool, int, float, str, tuple, type(None))
    values = {n for n, value in vars(cls).items() if isinstance(value, plain) and n[:2] != "__"}
    return values - inherited - option_names(cls)


def without_annotation(cls: type, name: str) -> str:
    """Return the message for an attribute without annotation."""
    value = getattr(cls, name)
    return (
        f"{name!r} has no type annotation, so it is not an option; write "
        f"'{name}: {type(value).__name__} = {value!r}'"
    )
