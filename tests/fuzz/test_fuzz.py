"""Random calls with hostile values: each returns the same twice, or raises one clear error.

``MASKPLUG_FUZZ_CALLS=22000 pytest tests/fuzz`` makes that many calls instead of 2,600. A call is
named by its kind and number, and depends on nothing else: ``check("entries", 17)`` repeats it.
"""

from __future__ import annotations

import os
import warnings
from typing import Any

import numpy as np
import pytest

from maskplug.errors import MaskplugError, MaskplugWarning, StrategyError
from support.calls import CALLS

NUMBER = int(os.environ.get("MASKPLUG_FUZZ_CALLS", "2600"))
KINDS = list(CALLS)


def outcome(call: Any) -> Any:
    """What a call returns or, for an error of ours, its message; other errors pass."""
    try:
        return call()
    except MaskplugError as error:
        return error


def check(kind: str, number: int) -> Any:
    """Make a call twice."""
    first, second = (
        outcome(CALLS[kind](np.random.default_rng([KINDS.index(kind), number]))) for _ in range(2)
    )
    if not isinstance(first, MaskplugError):
        assert repr(first) == repr(second)
        return first
    text = str(first)
    text.encode()  # can be printed anywhere
    if not isinstance(first, StrategyError):  # which says on lines of their own how to repeat it
        assert "\n" not in text
    assert len(text) < 2000
    return first


@pytest.mark.parametrize("kind", KINDS)
def test_every_call_returns_or_is_refused(kind: str) -> None:
    returned = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a cast that overflows is a wrong result
        warnings.simplefilter("ignore", MaskplugWarning)
        for number in range(NUMBER // len(KINDS)):
            try:
                returned += not isinstance(check(kind, number), MaskplugError)
            except Exception as error:
                raise AssertionError(f'check("{kind}", {number}): {error!r}') from error
    assert returned  # legal calls are among them
