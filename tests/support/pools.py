"""Invalid values of all kinds, and some valid ones."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import maskplug
from maskplug.clock import Epoch, Step
from maskplug.plugins import registry
from maskplug.registry import BUILTIN, Entry
from maskplug.schedule import Linear, Steps
from maskplug.selectors import Exact, Spans
from support.cases import CASES, DATA

Random = np.random.Generator
ENTRIES = [entry for entry in registry().entries if entry.provider == BUILTIN]
NAMES = sorted({entry.name for entry in ENTRIES})


class Unequal:
    """Raise an error on comparison, repr, len and conversion to an array."""

    def __eq__(self, other: object) -> bool:
        raise ValueError("no comparison")

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        raise RuntimeError("no text")

    def __len__(self) -> int:
        raise ZeroDivisionError

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise KeyError("no array")


def nested(depth: int, value: Any, wrap: Callable[[Any], Any]) -> Any:
    for _ in range(depth):
        value = wrap(value)
    return value


def endless() -> list[Any]:
    items: list[Any] = []
    items.append(items)
    return items


WHOLE = [0, 1, 2, 3, 7, 64, 255, -1, -7, 10**8, 2**31 - 1, 2**31, 2**40, 2**63, 2**64, 10**30]
WHOLE += [-(10**30), 10**400, 10**5000, np.int64(3), np.uint64(2**64 - 1), np.int8(-1)]
REAL = [0.0, 0.15, 0.5, 1.0, 1.5, -0.5, float("nan"), float("inf"), float("-inf"), 1e308, -1e308]
REAL += [5e-324, 1e-9, np.float32(0.5), np.float64("nan"), np.longdouble(0.5)]
TEXT = [
    "",
    " ",
    "token",
    "word",
    "sentence",
    "mask",
    "\0",
    "\ud800",
    "~nouser/x",
    "~",
    "a" * 10_000,
]
TEXT += ["two\nlines", "1", "0.15", "span@1", "span@" + "9" * 5000, "a:b@1", "other:span", "@", ":"]
TEXT += ["/dev/zero", "/", "(" * 900, "~" * 900 + "causal", "causal & causal", "mlm", "é漢字", "²"]
FILES = [DATA / "ngrams.txt", str(DATA / "dictionary.tsv"), Path(__file__), Path("/dev/zero")]
FILES += [Path("a\0b"), Path("~nouser/x"), {"path": {"path": "x", "digest": 1}, "digest": 2}]
ARRAYS = [np.arange(3), np.zeros((2, 2)), np.array("x"), np.array([1, "a", None], object)]
ARRAYS += [np.array([0.5, np.nan]), np.array([2**64 - 1, 1], np.uint64), np.array(7), np.zeros(0)]
ARRAYS += [np.array([True, False]), np.array(["a", "b"]), np.array([1j]), np.array([b"a"])]
DEEP: list[Any] = [
    nested(900, 1, lambda inner: [inner]),
    nested(900, (), lambda inner: (inner,)),
    nested(900, "dynamic", lambda inner: {"name": "chain", "strategies": [inner]}),
    nested(900, "causal", lambda inner: {"name": "not", "pattern": inner}),
    nested(60, "span", lambda inner: {"name": "prefixed", "strategy": inner, "token": "[R]"}),
    nested(40, "dynamic", lambda inner: {"name": "mixture", "strategies": [inner, inner]}),
    endless(),
    ["dynamic"] * 5000,
    ["causal"] * 5000,
]
ODD: list[Any] = [None, True, False, b"x", bytearray(b"x"), 1j, object(), Unequal(), int, len, ...]
ODD += [
    {1, 2},
    {},
    {1: 2},
    {"name": 3},
    {"name": "epoch"},
    {"name": "linear", "start": 0, "end": 1},
]
ODD += [{"name": "every", "k": 2}, [], (), [1, 2], (0.5, 0.5), ["a"], [None], [[1], [2]], range(3)]
ODD += [iter([1]), Unequal, slice(1), frozenset({"a"}), np.datetime64("2020"), {"path": "x"}]
PARTS: list[Any] = [Epoch(), Step(), Linear(0.1, 0.5), Linear(1, 9), Steps((1, 2), (0.5,)), Exact()]
PARTS += [Spans(0.3), maskplug.strategy("dynamic"), maskplug.strategy("t5")]
PARTS += [maskplug.pattern("causal"), maskplug.pattern("window:left=1 & document")]
POOLS = [WHOLE, REAL, TEXT, FILES, ARRAYS, DEEP, ODD, PARTS]


def pick(rng: Random, values: Any) -> Any:
    return values[int(rng.integers(len(values)))]


def value(rng: Random, depth: int = 0) -> Any:
    """Return any value."""
    kind = int(rng.integers(14))
    if kind < len(POOLS):
        return pick(rng, POOLS[kind])
    if kind == 8:
        return pick(rng, NAMES)
    if depth < 3 and kind == 9:
        return [value(rng, depth + 1) for _ in range(rng.integers(4))]
    if depth < 3 and kind == 10:
        return {"name": pick(rng, NAMES), pick(rng, OPTIONS): value(rng, depth + 1)}
    return number(rng)


def number(rng: Random) -> Any:
    return pick(rng, WHOLE if rng.integers(2) else REAL)


def options(entry: Entry) -> list[str]:
    return list(inspect.signature(entry.factory).parameters)


OPTIONS = sorted({name for entry in ENTRIES for name in options(entry)})
#: Required options.
NEEDED: dict[str, dict[str, Any]] = {label: dict(case.options) for label, case in CASES.items()}
NEEDED |= {
    "every@1": {"k": 2},
    "linear@1": {"start": 0.1, "end": 0.2},
    "cosine@1": {"start": 0.1, "end": 0.2},
    "steps@1": {"values": [0.1, 0.2], "at": [0.5]},
    "constant@1": {"value": 0.5},
    "phrases@1": {"ngrams": DATA / "ngrams.txt"},
    "in_dictionary@1": {"dictionary": DATA / "dictionary.tsv"},
    "translate@1": {"dictionary": DATA / "dictionary.tsv"},
    "weighted_labels@1": {"noise": "uniform_noise"},
    "and@1": {"patterns": ["causal", "document"]},
    "or@1": {"patterns": ["causal", "document"]},
    "alternating@1": {"patterns": ["causal", "full"]},
    "not@1": {"pattern": "causal"},
    "window@1": {"left": 1},
    "wait_k@1": {"k": 2},
    "chunked@1": {"size": 2},
    "dilated@1": {"left": 1},
    "strided@1": {"stride": 2},
    "fixed@1": {"stride": 2},
    "block_diffusion@1": {"block": 2},
}


def changed(rng: Random, entry: Entry) -> dict[str, Any]:
    """Return options of an entry, up to three of them with any value."""
    chosen = {name: v for name, v in NEEDED.get(entry.label, {}).items() if name in options(entry)}
    for _ in range(rng.integers(4)):
        names = options(entry)
        name = pick(rng, names) if names and rng.integers(20) else pick(rng, OPTIONS)
        chosen[name] = value(rng) if rng.integers(3) else number(rng)
    return chosen
