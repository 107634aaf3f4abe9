"""Patterns as text, in Python's syntax: ``window(left=4) & document | ~sink(n=2)``.

A second form needs no brackets, ``window:left=4,right=0 & document``: options after a colon end at
``&``, ``|``, a closing bracket or the end of the text. ``~`` binds tighter than ``&``, and ``&``
tighter than ``|``. Values are those of JSON or Python, bare words, lists, and parts with options:
``window(left=linear(64, 512))``. Nothing is evaluated: ``ast.parse`` reads the text, and only the
nodes below are accepted.
"""

from __future__ import annotations

import ast
import inspect
import json
import math
import re
from typing import Any

from maskplug.errors import OptionError, PluginError, shortened
from maskplug.plugins import registry
from maskplug.registry import BUILTIN
from maskplug.spec import PARSERS, canonical
from maskplug.validation.nesting import DEPTH, too_deep
from maskplug.validation.options import MEMBERS

#: What an expression consists of, for bracket depth and names. A name may have a distribution and
#: a version, ``dist:window@1``; a colon before ``option=`` begins options.
TOKEN = re.compile(
    r"""(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<number>\d[\w.]*)
    |(?P<name>(?:[A-Za-z_][\w.-]*:(?!\s*\w+\s*=))?[A-Za-z_][\w.-]*(?:@\d+)?)
     (?P<colon>\s*:(?=\s*\w+\s*=))?
    |(?P<space>\s+)
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
CONSTANTS = {"null": None, "true": True, "false": False, "None": None, "True": True, "False": False}
OPERATORS: dict[type, str] = {ast.BitAnd: "and@1", ast.BitOr: "or@1"}


class _Reader:
    """Reads one expression.

    For ``ast.parse``, every name and string is replaced by a placeholder of the same length:
    registered names may contain ``:``, ``@`` or ``-``, or be keywords, as ``and`` is. Options after
    a colon get brackets. ``originals`` has the names and strings by their column.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.originals: dict[int, str] = {}
        self.added: list[int] = []  # columns of closing brackets that are not in the text

    def error(self, problem: str) -> OptionError:
        return OptionError(f"pattern {shortened(self.text)} {problem}")

    def fail(self, column: int, reason: str = "not part of an expression") -> OptionError:
        """Return an error that points at a column of the Python form."""
        at = column - sum(bracket < column for bracket in self.added)
        rest = self.text[at:].strip()
        where = f"{shortened(rest)} at column {at + 1}" if rest else "its end"
        return self.error(
            f"cannot be read at {where}: {reason}; patterns look like "
            "'window(left=4) & document' or 'window:left=4 & document'"
        )

    def python(self) -> str:
        """Return the expression in the form for ``ast.parse``."""
        out: list[str] = []
        size = nots = 0
        levels = [{"&": 1, "|": 1, "colon": 0}]

        def add(piece: str) -> None:
            nonlocal size
            out.append(piece)
            size += len(piece)

        def close() -> None:
            if levels[-1]["colon"]:
                levels[-1]["colon"] = 0
                self.added.append(size)
                add(")")

        for token in TOKEN.finditer(self.text):
            piece = token[0]
            if token["text"]:
                self.originals[size] = piece
                piece = f"'{'a' * (len(piece) - 2)}'"
            elif token["name"]:
                self.originals[size] = token["name"]
                piece = "a" * len(token["name"])
                if token["colon"]:
                    piece += "(".rjust(len(token["colon"]))
                    levels[-1]["colon"] = 1
            elif token["space"]:
                piece = " " * len(piece)
            elif piece in ("#", "\\"):  # Python would ignore a comment
                raise self.fail(size)
            elif piece in ("&", "|"):
                close()
                level = levels[-1]
                level[piece] += 1
                if piece == "|":
                    level["&"] = 1
                if level[piece] > MEMBERS:
                    raise self.error(f"joins more than {MEMBERS} patterns with {piece!r}")
            elif piece in "([{":
                levels.append({"&": 1, "|": 1, "colon": 0})
            elif piece in ")]}":
                close()
                if len(levels) > 1:
                    levels.pop()
            elif piece == ",":
                levels[-1].update({"&": 1, "|": 1})
            nots = nots + 1 if piece == "~" else nots * piece.isspace()
            if len(levels) + nots > DEPTH + 1:
                raise self.error(f"cannot be read: {too_deep()}")
            add(piece)
        close()
        return "".join(out)

    def read(self) -> Any:
        source = self.python()
        start = len(source) - len(source.lstrip())
        if not source.strip():
            raise self.fail(len(source), "a name was expected")
        try:
            tree = ast.parse(source[start:], mode="eval").body
        except SyntaxError as error:
            column = start + error.offset - 1 if error.offset else len(source)
            if error.msg.startswith("Exceeds the limit"):
                raise self.error("cannot be read: a number has too many digits") from None
            reason = error.msg if "comma" in error.msg else error.msg.split(".")[0]
            raise self.fail(min(column, len(source)), reason) from None
        except (RecursionError, MemoryError):
            raise self.error("cannot be read: it has too many brackets or operators") from None
        except ValueError:
            raise self.error("cannot be read: it has characters that are not text") from None
        self.source, self.start = source[start:], start
        return self.pattern(tree)

    def column(self, node: Any) -> int:
        """Return the column of a node; ``ast`` counts bytes."""
        before = self.source.encode()[: node.col_offset]
        return self.start + len(before.decode(errors="replace"))

    def name(self, node: Any) -> str:
        column = self.column(node)
        name = self.originals.get(column, "")
        placeholder = getattr(node, "arg" if isinstance(node, ast.keyword) else "id", None)
        if not name or placeholder != "a" * len(name):
            raise self.fail(column, "a name was expected")
        return name

    def pattern(self, node: Any) -> Any:
        """Return the spec of a pattern."""
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert):
            return {"name": "not@1", "pattern": self.pattern(node.operand)}
        if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
            return self.joined(node)
        if isinstance(node, ast.Call):
            return self.called("pattern", node)
        name = self.name(node)
        first = name.split(":")[0]
        if first != name and first in {entry.name for entry in registry().of_kind("pattern")}:
            raise self.fail(
                self.column(node) + len(first) + 1, "an option such as left=4 was expected"
            )
        return {"name": name}

    def joined(self, node: Any) -> Any:
        """Return the spec of ``a & b & c`` with its three members."""
        kind, members = type(node.op), []
        start = node.col_offset  # a left side in brackets starts later, and is one member
        while isinstance(node, ast.BinOp) and type(node.op) is kind and node.col_offset == start:
            members.append(node.right)
            node = node.left
        members.append(node)
        return {"name": OPERATORS[kind], "patterns": [self.pattern(m) for m in reversed(members)]}

    def called(self, kind: str | None, node: Any) -> Any:
        """Return the spec of a part with options; only the first ones may omit their names."""
        name = self.name(node.func)
        if kind is None:
            bare = name.split(":")[-1].split("@")[0]
            kinds = [entry.kind for entry in registry().entries if entry.name == bare]
            kind = next((k for k in kinds if k in ("schedule", "clock", "pattern")), "schedule")
        options: dict[str, Any] = {}
        if node.args:
            names = list(inspect.signature(registry().find(kind, name).factory).parameters)
            if len(node.args) > len(names):
                raise self.fail(self.column(node.args[len(names)]), f"{name} has no more options")
            values = zip(names, node.args, strict=False)
            options = {option: self.value(value) for option, value in values}
        for keyword in node.keywords:
            if keyword.arg is None:
                raise self.fail(self.column(keyword))
            option = self.name(keyword)
            if option in options:
                raise self.error(f"gives the option {shortened(option)} twice")
            options[option] = self.value(keyword.value)
        return {"name": name, **options}

    def value(self, node: Any) -> Any:
        """Return the value of an option."""
        if isinstance(node, ast.Constant):
            return self.constant(node, node.value)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            if isinstance(node.operand, ast.Constant):
                return -self.constant(node.operand, node.operand.value)
            raise self.fail(self.column(node), "'-' is for numbers")
        if isinstance(node, ast.List):
            return [self.value(item) for item in node.elts]
        if isinstance(node, ast.Dict):
            return self.mapping(node)
        if isinstance(node, ast.Call):
            return self.called(None, node)
        if isinstance(node, ast.Name):
            name = self.name(node)
            return CONSTANTS.get(name, name)
        return self.pattern(node)

    def mapping(self, node: Any) -> dict[str, Any]:
        """Return a JSON object."""
        items: dict[str, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
                raise self.fail(self.column(key or value), "a key in quotes was expected")
            name = self.constant(key, key.value)
            if name in items:
                raise self.error(f"cannot be read: duplicate key {shortened(name)}")
            items[name] = self.value(value)
        return items

    def constant(self, node: Any, value: Any) -> Any:
        """Return a string or a finite number."""
        column = self.column(node)
        if isinstance(value, str) and len(self.originals.get(column, "")) == len(value) + 2:
            text = self.originals[column]
            if text[0] == "'":
                text = '"' + text[1:-1].replace("\\'", "'").replace('"', '\\"') + '"'
            try:
                return json.loads(text)
            except json.JSONDecodeError:
                raise self.fail(column, "not a string of JSON") from None
        if type(value) not in (int, float) or value in (math.inf, -math.inf):
            raise self.fail(column, "neither a string nor a finite number")
        return value


def parse(text: str) -> Any:
    """Return the spec of the pattern that an expression describes.

    Raises:
        OptionError: if it cannot be read; the message points at the position.

    Example:
        >>> parse("~sink(2) & causal")["patterns"][0]["pattern"]
        {'name': 'sink', 'n': 2}
    """
    return _Reader(text).read()


def to_text(pattern: Any) -> str:
    """Return a pattern as an expression for :func:`parse`; the newest built-ins by bare name."""
    try:
        return _to_text(canonical(pattern))
    except PluginError:  # a pattern of the user's own that is not registered
        return repr(pattern)


def _name(pinned: str) -> str:
    bare, _, version = pinned.rpartition("@")
    versions = [e.version for e in registry().entries if (e.name, e.provider) == (bare, BUILTIN)]
    return bare if versions and int(version) == max(versions) else pinned


def _to_text(spec: Any, inside: bool = False) -> str:
    if not isinstance(spec, dict):
        return json.dumps(spec)
    name = _name(spec["name"])
    if name in ("and", "or"):
        operator = " & " if name == "and" else " | "
        text = operator.join(_to_text(member, inside=True) for member in spec["patterns"])
        return f"({text})" if inside and len(spec["patterns"]) > 1 else text
    if name == "not":
        return f"~{_to_text(spec['pattern'], inside=True)}"
    options = ",".join(f"{key}={_value(value)}" for key, value in spec.items() if key != "name")
    return f"{name}:{options}" if options else name


def _value(value: Any) -> str:
    if isinstance(value, list):
        return f"[{','.join(map(_value, value))}]"
    if isinstance(value, dict):
        options = [f"{key}={_value(item)}" for key, item in value.items() if key != "name"]
        return f"{_name(value['name'])}({','.join(options)})"
    return json.dumps(value)


PARSERS["pattern"] = parse
