"""Patterns as text: ``window:left=4,right=0 & document | ~sink(n=2)``.

Names take their options after a colon or in brackets; values are JSON, bare words, lists of
values, or parts with options in brackets: ``window(left=linear(64, 512))``. ``~`` binds tighter
than ``&``, that tighter than ``|``, and brackets group.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable
from typing import Any

from maskplug.errors import OptionError, shortened
from maskplug.plugins import registry
from maskplug.registry import BUILTIN
from maskplug.spec import PARSERS, canonical, read_json
from maskplug.validation.nesting import DEPTH, too_deep
from maskplug.validation.options import MEMBERS

NAME = re.compile(r"(?:[A-Za-z_][\w.-]*:(?!\s*\w+\s*=))?[A-Za-z_][\w.-]*(?:@\d+)?")
OPTION = re.compile(r"\s*(\w+)\s*=")
JOINED = {"|": "or", "&": "and"}


class _Reader:
    """Reads an expression from left to right; ``at`` is the next character."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0

    def fail(self, wanted: str) -> OptionError:
        rest = self.text[self.at :].strip()
        found = f"{shortened(rest)} at column {self.at + 1}" if rest else "its end"
        return self.error(
            f"cannot be read: {wanted} was expected, not {found}; patterns look like "
            "'window:left=4,right=0 & document'"
        )

    def error(self, problem: str) -> OptionError:
        return OptionError(f"pattern {shortened(self.text)} {problem}")

    def inside(self, read: Callable[[], Any]) -> Any:
        """What is read one bracket or ``~`` deeper."""
        if self.depth == DEPTH:
            raise self.error(f"cannot be read: {too_deep()}")
        self.depth += 1
        value = read()
        self.depth -= 1
        return value

    def next(self) -> str:
        """The next character that is no blank, or nothing."""
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1
        return self.text[self.at : self.at + 1]

    def take(self, character: str) -> bool:
        if self.next() != character:
            return False
        self.at += 1
        return True

    def need(self, character: str) -> None:
        if not self.take(character):
            raise self.fail(repr(character))

    def joined(self, operators: str = "|&") -> Any:
        """Members with an operator between them; those of tighter operators are read inside."""
        if not operators:
            return self.single()
        members = [self.joined(operators[1:])]
        while self.take(operators[0]):
            members.append(self.joined(operators[1:]))
            if len(members) > MEMBERS:
                raise self.error(f"joins more than {MEMBERS} patterns with {operators[0]!r}")
        if len(members) == 1:
            return members[0]
        return {"name": f"{JOINED[operators[0]]}@1", "patterns": members}

    def single(self) -> Any:
        if self.take("~"):
            return {"name": "not@1", "pattern": self.inside(self.single)}
        if self.take("("):
            inside = self.inside(self.joined)
            self.need(")")
            return inside
        name = self.name()
        if self.next() == ":" and OPTION.match(self.text, self.at + 1):
            self.at += 1
            return {"name": name, **self.options("pattern", name, closed=False)}
        first = name.split(":")[0]
        if first != name and first in {e.name for e in registry().of_kind("pattern")}:
            self.at -= len(name) - len(first) - 1
            raise self.fail("an option such as left=4")
        return self.called("pattern", name)

    def name(self) -> str:
        self.next()
        found = NAME.match(self.text, self.at)
        if not found:
            raise self.fail("a name")
        self.at = found.end()
        return found[0]

    def called(self, kind: str | None, name: str) -> Any:
        """A name, with options in brackets if there are any."""
        if not self.take("("):
            return {"name": name} if kind else name
        if kind is None:
            bare = name.split(":")[-1].split("@")[0]
            kinds = [e.kind for e in registry().entries if e.name == bare]
            kind = next((k for k in kinds if k in ("schedule", "clock", "pattern")), "schedule")
        options = {}
        if self.next() != ")":
            options = self.inside(lambda: self.options(kind, name, closed=True))
        self.need(")")
        return {"name": name, **options}

    def options(self, kind: str, name: str, closed: bool) -> dict[str, Any]:
        """Options with commas between them; in brackets the first may come without their names."""
        names: list[str] = []
        found: dict[str, Any] = {}
        while True:
            self.next()
            named = OPTION.match(self.text, self.at)
            if named:
                option, self.at = named[1], named.end()
            elif closed and len(found) == len(names):
                names = list(inspect.signature(registry().find(kind, name).factory).parameters)
                if len(found) >= len(names):
                    raise self.fail("')'")
                option = names[len(found)]
                names = names[: len(found) + 1]
            else:
                raise self.fail("an option such as left=4")
            if option in found:
                raise self.error(f"gives the option {shortened(option)} twice")
            found[option] = self.value()
            if not self.take(","):
                return found

    def value(self) -> Any:
        start = self.next()
        if self.take("["):
            return self.inside(self.items)
        if start == "{" or start == '"' or re.match(r"[-\d]", start):
            try:
                value, self.at = read_json(self.text, self.at)
            except json.JSONDecodeError:
                raise self.fail("a value") from None
            except OptionError as error:
                raise self.error(f"cannot be read: {error}") from None
            return value
        if start == "~" or start == "(":
            return self.single()
        name = self.name()
        constants = {"null": None, "true": True, "false": False, "None": None}
        constants |= {"True": True, "False": False}
        return constants[name] if name in constants else self.called(None, name)

    def items(self) -> list[Any]:
        """The values of a list, behind its opening bracket."""
        items = [] if self.next() == "]" else [self.value()]
        while self.next() != "]" and self.take(","):
            items.append(self.value())
        self.need("]")
        return items


def parse(text: str) -> Any:
    """The pattern that an expression means, as a mapping for ``maskplug.pattern``.

    Raises:
        OptionError: when it cannot be read; the message points at the place.

    Example:
        >>> parse("~sink(2) & causal")["patterns"][0]["pattern"]
        {'name': 'sink', 'n': 2}
    """
    reader = _Reader(text)
    try:
        found = reader.joined()
    except RecursionError:
        raise reader.fail("fewer brackets") from None
    if reader.next():
        raise reader.fail("'&', '|' or the end")
    return found


def written(pattern: Any) -> str:
    """A pattern as an expression that :func:`parse` reads; the newest built-ins by bare name."""
    from maskplug.errors import PluginError

    try:
        return _written(canonical(pattern))
    except PluginError:  # a pattern of the user's own, which has no name
        return repr(pattern)


def _name(pinned: str) -> str:
    bare, _, version = pinned.rpartition("@")
    own = [e.version for e in registry().entries if (e.name, e.provider) == (bare, BUILTIN)]
    return bare if own and int(version) == max(own) else pinned


def _written(spec: Any, inside: bool = False) -> str:
    if not isinstance(spec, dict):
        return json.dumps(spec)
    options = {key: value for key, value in spec.items() if key != "name"}
    name = _name(spec["name"])
    if name in ("and", "or"):
        between = " & " if name == "and" else " | "
        text = between.join(_written(member, inside=True) for member in spec["patterns"])
        return f"({text})" if inside and len(spec["patterns"]) > 1 else text
    if name == "not":
        return f"~{_written(spec['pattern'], inside=True)}"
    said = ",".join(f"{key}={_value(value)}" for key, value in options.items())
    return f"{name}:{said}" if said else name


def _value(value: Any) -> str:
    if isinstance(value, list):
        return f"[{','.join(map(_value, value))}]"
    if isinstance(value, dict):
        options = [f"{key}={_value(item)}" for key, item in value.items() if key != "name"]
        return f"{_name(value['name'])}({','.join(options)})"
    return json.dumps(value)


PARSERS["pattern"] = parse
