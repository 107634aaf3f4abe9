"""Checks of options of patterns."""

from __future__ import annotations

from maskplug.clock import Step
from maskplug.errors import OptionError
from maskplug.parts import Clock, Schedule
from maskplug.validation.options import bounds


def in_order(lower: Schedule | float, upper: Schedule | float) -> bool:
    """Return whether one option can always be at or below another one.

    If both are schedules, only their bounds are compared: False means that they are certainly out
    of order.
    """
    return all(low <= high for low, high in zip(bounds(lower), bounds(upper), strict=True))


def clock_of(clock: Clock | None, is_random: bool, reason: str) -> Clock | None:
    """Return the clock of a pattern that is random only in one of its modes; "step" by default.

    Raises:
        OptionError: for a clock without any effect, with the reason.
    """
    if is_random:
        return Step() if clock is None else clock
    if clock is not None:
        raise OptionError(f"option 'clock' is {clock!r}, but {reason}")
    return None
