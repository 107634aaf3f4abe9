"""Checks of numeric options, made before anything is allocated.

Limits are far above what models use and far below what would exhaust memory.
"""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any, Protocol, runtime_checkable

from maskplug.errors import OptionError, shortened

#: Maximum of periods, budgets and widths. Sums and products of two of them fit into int64.
COUNT = 2**31 - 1
#: Maximum length of spans: tables of length probabilities have at most 8 MiB.
LENGTH = 2**20
#: Maximum number of ids, classes and tokens of a row.
SIZE = 2**24
#: Maximum number of attention heads.
HEADS = 2**12
#: Maximum number of random blocks per query block.
BLOCKS = 2**8
#: Maximum number of strategies or patterns in a list.
MEMBERS = 2**8


@runtime_checkable
class Bounded(Protocol):
    """A value that changes between two bounds: a schedule."""

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the greatest value."""


def bounds(value: Bounded | float) -> tuple[float, float]:
    """Return the least and the greatest value of a schedule, or a number twice."""
    return value.bounds if isinstance(value, Bounded) else (value, value)


def is_whole(value: Any) -> bool:
    """Return whether a value is an integer of Python or numpy, and not a bool.

    Example:
        >>> is_whole(3), is_whole(3.0), is_whole(True)
        (True, False, False)
    """
    return type(value) is int or (isinstance(value, Integral) and not isinstance(value, bool))


def check_whole(name: str, value: Any, least: int, most: int = COUNT) -> None:
    """Raise an OptionError unless an option is an integer or a schedule in a range, or None.

    Example:
        >>> check_whole("k", 0, 1, 9)
        Traceback (most recent call last):
        maskplug.errors.OptionError: option 'k' is 0; it must be a whole number from 1 to 9
    """
    if isinstance(value, Bounded):
        low, high = value.bounds
        if not (least <= low and high <= most):
            raise OptionError(
                f"option {name!r} is {shortened(value)}; it must be a whole number from "
                f"{least:,} to {most:,}, or a schedule that stays there"
            )
    elif value is not None:
        check_argument(f"option {name!r}", value, least, most)


def check_argument(name: str, value: Any, least: int, most: int = COUNT) -> None:
    """Raise an OptionError unless an argument is an integer from ``least`` to ``most``.

    Example:
        >>> check_argument("heads", 2.5, 1, HEADS)
        Traceback (most recent call last):
        maskplug.errors.OptionError: heads is 2.5; it must be a whole number from 1 to 4,096
    """
    if not (is_whole(value) and least <= value <= most):
        raise OptionError(
            f"{name} is {shortened(value)}; it must be a whole number from {least:,} to {most:,}"
        )


def check_number(
    name: str,
    value: float,
    *,
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
    below: float | None = None,
) -> None:
    """Raise an OptionError unless an option is a finite number in a range.

    Args:
        name: name of the option.
        value: its value.
        least, above: inclusive or exclusive lower bound.
        most, below: inclusive or exclusive upper bound.

    Example:
        >>> check_number("p", 0.0, above=0.0, most=1.0)
        Traceback (most recent call last):
        maskplug.errors.OptionError: option 'p' is 0.0; it must be a number above 0 and at most 1
    """
    if (
        is_finite(value)
        and (least is None or least <= value)
        and (above is None or above < value)
        and (most is None or value <= most)
        and (below is None or value < below)
    ):
        return
    raise OptionError(
        f"option {name!r} is {shortened(value)}; it must be {_range(least, above, most, below)}"
    )


def is_finite(value: Any) -> bool:
    """Return whether a value is a number of Python or numpy, not a bool, and finite as a float.

    Example:
        >>> is_finite(3), is_finite(float("nan")), is_finite(10**400), is_finite("3")
        (True, False, False, False)
    """
    if not isinstance(value, Real) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer of more than 308 digits
        return False


def _range(
    least: float | None, above: float | None, most: float | None, below: float | None
) -> str:
    if least is not None and (most is not None or below is not None):
        return f"a number from {least:g} to " + (
            f"{most:g}" if most is not None else f"less than {below:g}"
        )
    if least is not None:
        return f"a finite number from {least:g} on"
    ends = [f"above {above:g}"] if above is not None else []
    ends += [f"at most {most:g}"] if most is not None else []
    ends += [f"below {below:g}"] if below is not None else []
    finite = "a number" if len(ends) == 2 else "a finite number"
    return " ".join([finite, " and ".join(ends)]).rstrip()


def check_token(name: str, value: str | int | None) -> None:
    """Raise an OptionError unless an option names a token by text or id, or is None."""
    if not isinstance(value, str):
        check_whole(name, value, 0)


def are_weights(values: Any) -> bool:
    """Return whether values are finite, not negative, and have a finite positive sum.

    Example:
        >>> are_weights((2, 0.5)), are_weights((0, 0)), are_weights((1e308, 1e308))
        (True, False, False)
    """
    return all(is_finite(value) and value >= 0 for value in values) and (
        0.0 < sum(map(float, values)) < math.inf
    )


def check_list(name: str, value: Any) -> None:
    """Raise an OptionError unless an option is a list, a tuple or None."""
    if value is not None and not isinstance(value, list | tuple):
        raise OptionError(f"option {name!r} is {shortened(value)}; it must be a list")
