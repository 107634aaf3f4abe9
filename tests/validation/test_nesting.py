"""How deep strategies, patterns, brackets and lists may be nested, and how many there may be."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

import maskplug
from maskplug import spec as specs
from maskplug.errors import OptionError
from maskplug.validation.nesting import DEPTH, check_nesting
from maskplug.validation.options import MEMBERS
from support.batches import VOCAB, equal_rows
from support.pools import endless, nested

CAUSAL, FULL, SINK = (maskplug.pattern(name) for name in ("causal", "full", "sink"))


def chained(inner: Any) -> dict[str, Any]:
    return {"name": "chain", "strategies": [inner]}


def of_spec(options: dict[str, Any]) -> maskplug.Strategy:
    return maskplug.strategy({"strategy": options.pop("name"), "options": options})


NESTED: dict[str, Callable[[int], Any]] = {
    "brackets": lambda n: maskplug.pattern("(" * n + "causal" + ")" * n),
    "nots": lambda n: maskplug.pattern("~" * n + "causal"),
    "brackets of lists": lambda n: maskplug.pattern(
        "alternating([" * (n // 2) + "causal" + "])" * (n // 2)
    ),
    "brackets of numbers": lambda n: maskplug.pattern(f"window:left={'[' * n}"),
    "JSON in an expression": lambda n: maskplug.pattern("sink:n=" + '{"a":' * n + "1" + "}" * n),
    "JSON lists": lambda n: specs.options_from_json('{"x":' + "[" * n + "]" * n + "}", "--x"),
    "JSON objects": lambda n: specs.options_from_json('{"x":' * n + "1" + "}" * n, "--x"),
    "mappings": lambda n: of_spec(nested(n, "dynamic", chained)),
    "patterns": lambda n: maskplug.pattern(
        nested(n, "causal", lambda inner: {"name": "not", "pattern": inner})
    ),
    "lists": lambda n: maskplug.strategy("dynamic", rate=nested(n, 1, lambda inner: [inner])),
    "strategies": lambda n: nested(
        n, "dynamic", lambda inner: maskplug.strategy("chain", strategies=[inner])
    ),
    "prefixes": lambda n: nested(
        n, "t5", lambda inner: maskplug.strategy("prefixed", strategy=inner, token="[R]")
    ),
    "operators": lambda n: nested(n // 2, CAUSAL, lambda inner: (inner & SINK) | FULL),
}


@pytest.mark.parametrize("depth", [2 * DEPTH + 8, 900, 5000])
@pytest.mark.parametrize("make", NESTED.values(), ids=NESTED)
def test_deep_nesting_is_refused(make: Callable[[int], Any], depth: int) -> None:
    with pytest.raises(
        OptionError, match=f"nested more than {DEPTH} deep|cannot be read"
    ) as caught:
        make(depth)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("name", ["brackets", "nots", "mappings", "patterns", "strategies"])
def test_nesting_below_the_limit_works(name: str) -> None:
    part = NESTED[name](DEPTH - 2)
    if isinstance(part, maskplug.Pattern):
        assert maskplug.pattern(json.loads(json.dumps(part.spec))) == part
        assert part.dense(3).shape == (1, 1, 3, 3)
    else:
        assert maskplug.strategy(part.spec).fingerprint == part.fingerprint
        assert part(equal_rows(1, 9), VOCAB).labels is not None


@pytest.mark.parametrize("value", [endless(), {"a": endless()}, [endless(), 1]], ids=str)
def test_recursive_values_are_refused(value: Any) -> None:
    with pytest.raises(OptionError, match="nested more than"):
        check_nesting(value)


MANY: dict[str, Callable[[int], Any]] = {
    "or": lambda n: maskplug.pattern(" | ".join(["causal"] * n)),
    "and": lambda n: maskplug.pattern("&".join(["causal"] * n)),
    "a list of patterns": lambda n: maskplug.pattern("alternating", patterns=["causal"] * n),
    "a join in Python": lambda n: nested(n - 1, CAUSAL, lambda inner: inner | FULL),
    "a mixture": lambda n: maskplug.strategy("mixture", strategies=["none"] * n),
    "a chain": lambda n: maskplug.strategy("chain", strategies=["none"] * n),
    "ul2": lambda n: maskplug.strategy("ul2", denoisers=["t5"] * n, modes=None),
}


@pytest.mark.parametrize("make", MANY.values(), ids=MANY)
def test_lists_of_strategies_and_patterns_are_bounded(make: Callable[[int], Any]) -> None:
    make(MEMBERS)
    for number in (MEMBERS + 1, 5000):
        with pytest.raises(OptionError, match=f"from 1 to {MEMBERS}|more than {MEMBERS}"):
            make(number)


def test_exponential_sharing_is_refused() -> None:
    with pytest.raises(OptionError, match="more than 10,000 nested parts"):
        nested(
            DEPTH - 1, "none", lambda inner: maskplug.strategy("mixture", strategies=[inner] * 2)
        )
    with pytest.raises(OptionError, match="more than 10,000 nested parts"):
        nested(
            DEPTH - 1, FULL, lambda inner: maskplug.pattern("alternating", patterns=(inner, inner))
        )
