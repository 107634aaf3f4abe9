"""What the options of patterns have in common."""

from __future__ import annotations

from maskplug.errors import OptionError
from maskplug.parts import Schedule


def check_whole(name: str, value: Schedule | int | None, least: int) -> None:
    """Refuse a whole number, or a schedule, that goes below ``least``; None passes.

    Raises:
        OptionError: naming the option, the value received and the range.
    """
    low = value.bounds[0] if isinstance(value, Schedule) else value
    if low is not None and low < least:
        raise OptionError(
            f"option {name!r} is {value!r}; it must be a whole number from {least} upwards, or a "
            "schedule that stays there"
        )
