"""Specs: strategy ⇄ canonical JSON ⇄ fingerprint, and the check of all options.

The options of a factory are its keyword arguments; annotations define what they accept. A part can
be a name (``"epoch"``), a mapping (``{"name": "every", "k": 2}``) or an object.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import json
import types
import typing
from collections.abc import Callable, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import numpy as np

from maskplug.errors import (
    OptionError,
    PluginError,
    UnknownNameError,
    described,
    did_you_mean,
    shortened,
)
from maskplug.parts import Part
from maskplug.plugins import registry
from maskplug.preprocessing.resource import Resource
from maskplug.registry import Entry
from maskplug.validation import definitions
from maskplug.validation.nesting import check_members, check_nesting, too_deep
from maskplug.validation.options import is_finite


def build(entry: Entry, options: Mapping[str, Any]) -> Any:
    """Call a factory with checked options.

    Returns:
        The part. Strategies store their pinned name and their canonical options, defaults included.

    Raises:
        OptionError: for an unknown, missing or wrong option; the message names entry and option.
        PluginError: when the factory is invalid.
    """
    who = f"{entry.kind} {entry.label!r}"
    try:
        check_nesting(options)
    except OptionError as error:
        raise OptionError(f"{who}: {error}") from None
    try:
        signature = inspect.signature(entry.factory)
        hints = typing.get_type_hints(_annotated(entry.factory))
    except Exception as error:  # for example names that exist for type checkers only
        raise PluginError(f"the annotations of {who} cannot be read: {described(error)}") from error
    for name in options:
        if name not in signature.parameters:
            hint = did_you_mean(name if isinstance(name, str) else "", signature.parameters)
            if inspect.isclass(entry.factory) and name in definitions.unannotated(entry.factory):
                hint = f": {definitions.without_annotation(entry.factory, name)}"
            raise OptionError(f"{who} has no option {shortened(name)}{hint}")
    values = {}
    for name, parameter in signature.parameters.items():
        if name not in options and parameter.default is parameter.empty:
            raise OptionError(
                f"{who} needs the option {name!r}; 'maskplug list {entry.name}' explains it"
            )
        value = options.get(name, parameter.default)
        try:
            values[name] = accept(name, value, hints.get(name, Any))
        except OptionError as error:
            raise OptionError(f"{who}: {error}") from None
    try:
        part: Any = entry.make(values)
    except OptionError as error:
        raise OptionError(f"{who}: {error}") from None
    if entry.kind != "strategy":
        return part
    options = written(entry.factory, values)
    return dataclasses.replace(part, label=entry.pinned, options=options)


def _annotated(factory: Callable[..., Any]) -> Any:
    """Return the function with the annotations of a class, a partial or a callable object."""
    while isinstance(factory, functools.partial):
        factory = factory.func
    if inspect.isclass(factory):
        return factory.__init__
    return factory if inspect.isroutine(factory) else factory.__call__  # type: ignore[operator]


def accept(name: str, value: Any, hint: Any) -> Any:
    """Convert a value to its annotation: build parts, make ints floats; or raise an OptionError."""
    if hint is Any:
        return value
    if isinstance(value, np.generic):
        value = value.item()
    choices = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    if float in choices and type(value) is int and is_finite(value):
        return float(value)
    for choice in choices:
        if _is_part(choice):
            if isinstance(value, choice):
                return value
            if isinstance(value, str | Mapping):
                try:
                    return resolve(choice.kind, value)
                except UnknownNameError:
                    if isinstance(value, Mapping) or not {int, float} & {*choices}:
                        raise  # otherwise the message below mentions numbers
        elif choice is Resource:
            if isinstance(value, Resource | str | Path | Mapping):
                return Resource.of(value)
        elif get_origin(choice) is Literal:
            if any(type(value) is type(c) and value == c for c in get_args(choice)):
                return value
        elif get_origin(choice) is tuple:
            if isinstance(value, list | tuple):
                inner = get_args(choice)[0]
                if _is_part(inner):
                    check_members(name, value)
                return tuple(accept(name, item, inner) for item in value)
        elif choice is type(value) or (choice is types.NoneType and value is None):
            return value
    raise OptionError(f"option {name!r} is {shortened(value)}; it must be {_wanted(choices)}")


def _wanted(choices: tuple[Any, ...]) -> str:
    words = {
        Resource: "the path of a file",
        float: "a number",
        int: "a whole number",
        str: "text",
        bool: "true or false",
    }
    texts = []
    for choice in choices:
        if get_origin(choice) is Literal:
            texts.append("one of " + ", ".join(repr(c) for c in get_args(choice)))
        elif get_origin(choice) is tuple:
            texts.append("a list")
        elif _is_part(choice):
            names = sorted({e.name for e in registry().of_kind(choice.kind)})
            texts.append(f"a {choice.kind} ({', '.join(names)})")
        elif choice is not str or not any(_is_part(c) for c in choices):
            texts.append("null" if choice is types.NoneType else words.get(choice, str(choice)))
    return " or ".join(texts)


def _is_part(choice: Any) -> bool:
    return inspect.isclass(choice) and issubclass(choice, Part)


#: Parsers of the kinds whose text form is more than a name; the module of the kind adds its own.
PARSERS: dict[str, Callable[[str], Any]] = {}


def resolve(kind: str, value: Any) -> Any:
    """Return a part from its name, a mapping with ``name`` and options, or a part.

    Raises:
        OptionError: when the mapping has no name or the options are wrong.
        UnknownNameError: for an unknown name.
    """
    if isinstance(value, str):
        value = PARSERS[kind](value) if kind in PARSERS else {"name": value}
    if not isinstance(value, Mapping):
        if not isinstance(value, Part) or value.kind != kind:
            raise OptionError(f"a {kind} was expected, not {shortened(value)}")
        if kind == "strategy":
            return value
        options = options_of(value)
        # Narrow integers of numpy would overflow.
        narrow = [n for n in options if isinstance(getattr(value, n), np.generic)]
        return dataclasses.replace(value, **{n: options[n] for n in narrow}) if narrow else value  # type: ignore[type-var]
    if "name" not in value:
        raise OptionError(
            f"a {kind} is given as {{'name': …, options}}, not as {shortened(dict(value))}"
        )
    options = {key: item for key, item in value.items() if key != "name"}
    return build(registry().find(kind, value["name"]), options)


def options_of(value: Part) -> dict[str, Any]:
    """Return the checked options of a part that was constructed directly."""
    definitions.check_dataclass(type(value))
    assert dataclasses.is_dataclass(value)
    hints = typing.get_type_hints(_annotated(type(value)))
    try:
        return {
            field.name: accept(field.name, getattr(value, field.name), hints.get(field.name, Any))
            for field in dataclasses.fields(value)
        }
    except OptionError as error:
        raise OptionError(f"{value.kind} {type(value).__name__}: {error}") from None


def canonical(value: Any) -> Any:
    """Return a value in its canonical form: parts become mappings with a pinned name.

    Raises:
        PluginError: when the class of a part is not registered.
    """
    if isinstance(value, Part) and value.kind == "strategy":
        spec: dict[str, Any] = value.spec  # type: ignore[attr-defined]
        return {"name": spec["strategy"], **spec["options"]}
    if isinstance(value, Resource):
        return dataclasses.asdict(value)
    if not isinstance(value, Part):
        return [canonical(item) for item in value] if isinstance(value, tuple) else value
    for entry in registry().of_kind(value.kind):
        if entry.factory is type(value):
            break
    else:
        raise PluginError(
            f"{type(value).__name__} is not registered as a {value.kind}; "
            "register it in maskplug_register"
        )
    fields = options_of(value)
    if entry.label == "constant@1":
        return fields["value"]  # equivalent to a plain number
    return {"name": entry.pinned, **written(entry.factory, fields)}


def written(factory: Callable[..., Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return checked options in canonical form, without defaults of options ``added_later``."""
    options = {name: canonical(value) for name, value in values.items()}
    for name in getattr(factory, "added_options", ()):
        hint = typing.get_type_hints(_annotated(factory)).get(name, Any)
        default = accept(name, inspect.signature(factory).parameters[name].default, hint)
        if options[name] == canonical(default):
            del options[name]
    return options


def to_json(spec: Mapping[str, Any]) -> str:
    """Return the canonical JSON of a spec: sorted keys, no whitespace, ASCII."""
    return json.dumps(spec, sort_keys=True, separators=(",", ":"))


def fingerprint(spec: Mapping[str, Any]) -> str:
    """Return sixteen hexadecimal digits (64 bits of BLAKE2b) of the canonical JSON of a spec."""
    return blake2b(to_json(_placeless(spec)).encode(), digest_size=8).hexdigest()


def _placeless(value: Any) -> Any:
    """Return a spec without the paths of its files; digests identify them."""
    if isinstance(value, Mapping):
        if set(value) == {"path", "digest"}:
            return {"digest": value["digest"]}
        return {key: _placeless(item) for key, item in value.items()}
    return [_placeless(item) for item in value] if isinstance(value, list) else value


def options_from_json(text: str, where: str, like: str = '{"rate": 0.15}') -> dict[str, Any]:
    """Parse options from a JSON object (``--masking-args``, ``--options``).

    Args:
        text: the JSON.
        where: its origin, for messages.
        like: an example, for messages.

    Raises:
        OptionError: when the text is not a JSON object; the message contains the column.
    """
    try:
        options = _DECODER.decode(text)
        check_nesting([options])
    except json.JSONDecodeError as error:
        raise OptionError(
            f"{where} is not valid JSON: {error.msg} at column {error.colno} of {shortened(text)}; "
            f"it looks like {like!r}"
        ) from None
    except (RecursionError, OptionError) as error:
        problem = too_deep() if isinstance(error, RecursionError) else error
        raise OptionError(f"{where}: {problem}") from None
    if not isinstance(options, dict):
        value = shortened(options)
        raise OptionError(f"{where} must be a JSON object such as {like!r}, not {value}")
    return options


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build a JSON object; refuse duplicate keys."""
    values: dict[str, Any] = {}
    for key, value in pairs:
        if key in values:
            raise OptionError(f"duplicate key {shortened(key)} in a JSON object")
        values[key] = value
    return values


def _integer(digits: str) -> int:
    """Parse a JSON integer; Python fails for more than 4,300 digits."""
    if len(digits) > DIGITS:
        raise OptionError(
            f"the number {shortened(digits, 20)} has {len(digits):,} digits; the maximum is "
            f"{DIGITS:,}"
        )
    return int(digits)


#: Maximum number of digits of JSON integers.
DIGITS = 1000
_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer)
