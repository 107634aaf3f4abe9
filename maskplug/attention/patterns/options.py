"""Numeric options of patterns, which may be schedules."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import or_

import numpy as np

from maskplug.attention.call import AttentionCall
from maskplug.attention.intervals import Intervals
from maskplug.parts import Schedule
from maskplug.validation.options import bounds


def in_order(lower: Schedule | float, upper: Schedule | float) -> bool:
    """Return whether one option can always be at or below another one.

    If both are schedules, only their bounds are compared: False means that they are certainly out
    of order.
    """
    return all(low <= high for low, high in zip(bounds(lower), bounds(upper), strict=True))


def by_value(
    call: AttentionCall, option: Schedule | int, make: Callable[[int], Intervals]
) -> Intervals:
    """Return intervals that depend on an integer option, which may differ between samples.

    If it does (a schedule, at different progress), ``make`` is called once per value, for the
    intervals of all samples.
    """
    values = call.value(option)
    if len(values) == 1:
        return make(int(values[0, 0, 0]))
    every = np.ones(call.kv_len, np.bool_)
    each = (make(int(value)).only((values == value) & every) for value in np.unique(values))
    return reduce(or_, each, call.intervals((0, 0 * values)))
