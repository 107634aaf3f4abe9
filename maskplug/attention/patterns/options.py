"""What the options of patterns have in common: numbers, which may be schedules."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import or_

import numpy as np

from maskplug.attention.intervals import Intervals
from maskplug.attention.site import AttentionCall
from maskplug.errors import OptionError, shortened
from maskplug.parts import Schedule
from maskplug.types import FloatArray
from maskplug.validation.options import COUNT, bounds, is_finite


def check_below(name: str, value: Schedule | float, limit: float) -> None:
    """Refuse a number, or a schedule, that reaches ``limit`` or is out of all reach.

    Raises:
        OptionError: naming the option, the value received and the range.
    """
    low, high = bounds(value)
    if not (is_finite(low) and is_finite(high) and -COUNT <= low <= high < limit):
        raise OptionError(
            f"option {name!r} is {shortened(value)}; it must be a finite number below {limit:g} "
            f"and from -{COUNT:,} on, or a schedule that stays there"
        )


def in_order(lower: Schedule | float, upper: Schedule | float) -> bool:
    """Whether one option can stay at or below another one.

    Where both are schedules, their bounds alone do not prove that: they do not say when each is
    reached. False means that it is broken for certain.

    Example:
        >>> from maskplug.schedule import Linear
        >>> in_order(2, Linear(1, 4)), in_order(Linear(1, 3), Linear(2, 4))
        (False, True)
    """
    return all(low <= high for low, high in zip(bounds(lower), bounds(upper), strict=True))


def real_value(site: AttentionCall, option: Schedule | float) -> FloatArray:
    """An option that is any number, or a schedule: float64 of shape (batch or 1, 1, 1)."""
    if not isinstance(option, Schedule):
        return np.full((1, 1, 1), float(option))
    values = site.share(option)
    same = len(values) and (values == values[0]).all()
    return (values[:1] if same else values)[:, None, None]


def by_value(
    site: AttentionCall, option: Schedule | int, make: Callable[[int], Intervals]
) -> Intervals:
    """Intervals made with one whole number, for samples that may differ in it.

    Where they do (a schedule, at another progress), the intervals are made once for each value and
    joined, which writes out their steps.

    Args:
        site: where attention is asked for.
        option: the number, or a schedule.
        make: gives the intervals of all samples for one value.
    """
    values = site.value(option)
    if len(values) == 1:
        return make(int(values[0, 0, 0]))
    every = np.ones(site.kv_len, np.bool_)
    each = (make(int(value)).only((values == value) & every) for value in np.unique(values))
    return reduce(or_, each, site.intervals((0, 0 * values)))
