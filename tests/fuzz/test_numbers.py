"""Numbers of any size for every numeric option of every built-in part."""

from __future__ import annotations

import inspect
import re
import tracemalloc
import typing
from contextlib import suppress
from typing import Any

import numpy as np
import pytest

from maskplug import spec as specs
from maskplug.errors import MaskplugError, OptionError, VocabularyError, shortened
from maskplug.registry import Entry
from support.calls import used
from support.pools import ENTRIES, NEEDED

NUMBERS = [10**8, 2**31 - 1, 2**31, 2**40, 2**63, 10**30, 10**400, 10**5000, -1, 0, -(10**30)]
NUMBERS += [float("nan"), float("inf"), float("-inf"), 1e308, 5e-324, np.int8(100), np.float32(0.5)]
#: Required lengths of lists; all other lists may have one number.
LENGTHS = {("ul2@1", "weights"): 7, ("ul2@1", "modes"): 3, ("mixture@1", "weights"): 2}
LENGTHS |= {("unilm@1", "shares"): 4, ("steps@1", "values"): 2}
#: Maximum allocation, in bytes, to build a part and mask a few tokens.
MEMORY = 1 << 27


def hints_of(entry: Entry) -> dict[str, str]:
    """Return the type annotation of each option, as text."""
    init = entry.factory.__init__ if isinstance(entry.factory, type) else entry.factory
    hints = typing.get_type_hints(init)
    return {name: str(hints[name]) for name in inspect.signature(entry.factory).parameters}


def numeric(entry: Entry) -> list[str]:
    """Return the options that accept numbers."""
    return [name for name, hint in hints_of(entry).items() if re.search(r"\b(int|float)\b", hint)]


CASES = [(entry, name) for entry in ENTRIES for name in numeric(entry)]


def test_numeric_options_are_found() -> None:
    names = {f"{entry.kind} {entry.label} {name}" for entry, name in CASES}
    assert len(names) > 130
    assert {"strategy ngram@1 max_n", "clock every@1 k", "pattern bigbird@1 random"} <= names


@pytest.mark.parametrize(
    ("entry", "name"), CASES, ids=[f"{e.kind}-{e.name}-{name}" for e, name in CASES]
)
@pytest.mark.filterwarnings("ignore:pattern .* hides every key")
def test_any_number_is_accepted_or_refused_with_the_range(entry: Entry, name: str) -> None:
    used(specs.build(entry, NEEDED.get(entry.label, {})))  # compiles
    tracemalloc.start()
    try:
        for number in NUMBERS:
            _try(entry, name, number)
            assert tracemalloc.get_traced_memory()[1] < MEMORY
    finally:
        tracemalloc.stop()


def _check_message(message: str, name: str, number: Any) -> None:
    assert repr(name) in message
    assert re.search(r"must|finite|needs|neither", message)
    plain = number.item() if isinstance(number, np.generic) else number
    assert shortened(plain) in message or shortened(float(plain)) in message


def _try(entry: Entry, name: str, number: Any) -> None:
    many = LENGTHS.get((entry.label, name), 1)
    value = (number,) * many if "tuple" in hints_of(entry)[name] else number
    try:
        part = specs.build(entry, {**NEEDED.get(entry.label, {}), name: value})
    except OptionError as error:
        _check_message(str(error), name, number)
        return
    with suppress(VocabularyError):  # a valid id, but not in this vocabulary
        used(part)


CLASSES = [(entry, name) for entry, name in CASES if isinstance(entry.factory, type)]


@pytest.mark.parametrize(
    ("entry", "name"), CLASSES, ids=[f"{e.kind}-{e.name}-{name}" for e, name in CLASSES]
)
def test_parts_built_in_python_refuse_other_types(entry: Entry, name: str) -> None:
    part = specs.build(entry, NEEDED.get(entry.label, {}))
    options = {item: getattr(part, item) for item in hints_of(entry)}
    valid = {"str": "text", "tuple": [1]}
    wrongs = [v for hint, v in valid.items() if hint not in hints_of(entry)[name]]
    for wrong in (*wrongs, 10**5000, b"1", 1j, np.ones(2)):
        with pytest.raises(MaskplugError, match=f"'{name}'"):
            entry.factory(**{**options, name: wrong})
