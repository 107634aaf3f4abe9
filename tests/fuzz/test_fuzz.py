"""Random calls with invalid values: each returns the same twice, or raises one clear error.

``MASKPLUG_FUZZ_CALLS=22000 pytest tests/fuzz`` makes that many calls. A call depends only on its
kind and number: ``check("entries", 17)`` repeats it.
"""

from __future__ import annotations

import os
import warnings
from typing import Any

import numpy as np
import pytest

from maskplug.errors import MaskplugError, MaskplugWarning, StrategyError
from support.calls import CALLS
from support.scale import scenes

KINDS = list(CALLS)


def outcome(call: Any) -> Any:
    """Return the result of a call, or the MaskplugError that it raises."""
    try:
        return call()
    except MaskplugError as error:
        return error


def check(kind: str, number: int) -> Any:
    """Make a call twice and compare the results."""
    first, second = (
        outcome(CALLS[kind](np.random.default_rng([KINDS.index(kind), number]))) for _ in range(2)
    )
    if not isinstance(first, MaskplugError):
        assert repr(first) == repr(second)
        return first
    text = str(first)
    text.encode()  # can be printed anywhere
    if not isinstance(first, StrategyError):  # its message has lines on how to repeat it
        assert "\n" not in text
    assert len(text) < 2000
    return first


@pytest.mark.parametrize("kind", KINDS)
def test_every_call_returns_or_raises_one_error(kind: str) -> None:
    returned = 0
    calls = int(os.environ.get("MASKPLUG_FUZZ_CALLS", "0")) or scenes(650, 2600)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a cast that overflows gives a wrong result
        warnings.simplefilter("ignore", MaskplugWarning)
        for number in range(calls // len(KINDS)):
            try:
                returned += not isinstance(check(kind, number), MaskplugError)
            except Exception as error:
                raise AssertionError(f'check("{kind}", {number}): {error!r}') from error
    assert returned  # some calls are valid
