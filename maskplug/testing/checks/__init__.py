"""The checks: functions of a subject that raise AssertionError with a remedy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from maskplug.testing.checks import (
    edges,
    invariance,
    keys,
    messages,
    objectives,
    pattern_form,
    pattern_invariance,
    rate,
    shared,
    validity,
)

Check = Callable[[Any], None]


def _checks_of(*modules: Any) -> tuple[Check, ...]:
    """Return the checks that these modules define, in the order of their definition."""
    return tuple(
        value
        for module in modules
        for name, value in vars(module).items()
        if name.startswith("check_") and value.__module__ == module.__name__
    )


#: The checks of strategies, in the order in which they run.
CHECKS = _checks_of(shared, invariance, keys, validity, objectives, edges, rate, messages)
#: The checks of patterns, in the order in which they run.
PATTERN_CHECKS = _checks_of(pattern_form, shared, pattern_invariance)
