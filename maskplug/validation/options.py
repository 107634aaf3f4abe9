"""The ranges of numeric options, checked when a part is made: before anything is allocated.

Every limit is far above what a model can use and far below what would exhaust a machine.
"""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any, Protocol, runtime_checkable

from maskplug.errors import OptionError, shortened

#: Numbers for which nothing is allocated: periods, budgets, widths. Sums and products of two of
#: them and a position fit into 64 bits.
COUNT = 2**31 - 1
#: Lengths of spans: a law of lengths is a table of eight bytes for each, so 8 MiB at most.
LENGTH = 2**20
#: Ids of a vocabulary, classes, tokens of a row: there are arrays with eight bytes for each.
SIZE = 2**24
#: Attention heads, for each of which some patterns draw.
HEADS = 2**12
#: Random blocks that a block sees: each is an interval of every query.
BLOCKS = 2**8
#: Strategies or patterns in one list: a batch passes through all of them.
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
    """Whether a value is an integer of Python or numpy, and no bool.

    Example:
        >>> is_whole(3), is_whole(3.0), is_whole(True)
        (True, False, False)
    """
    return type(value) is int or (isinstance(value, Integral) and not isinstance(value, bool))


def check_whole(name: str, value: Any, least: int, most: int = COUNT) -> None:
    """Refuse an option that is no whole number from ``least`` to ``most``; None passes.

    A schedule passes if all its values are between them.

    Raises:
        OptionError: naming the option, the value received and the range.

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
    """Refuse an argument that is no whole number from ``least`` to ``most``.

    Raises:
        OptionError: naming the argument, the value received and the range.

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
    """Refuse what is no finite number in a range.

    Args:
        name: of the option.
        value: of it.
        least: the least value, or
        above: what it must exceed; neither for any finite number.
        most: the greatest value, or
        below: what it must stay below; neither for any finite number.

    Raises:
        OptionError: naming the option, the value received and the range.

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
    """Whether a value is a finite number of Python or numpy that a float can hold, and no bool.

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
    """Refuse what names no token: it is a text, or an id; None passes.

    Raises:
        OptionError: naming the option and the value received.
    """
    if not isinstance(value, str):
        check_whole(name, value, 0)


def are_weights(values: Any) -> bool:
    """Whether values can be made shares: finite numbers, not negative, with a finite sum above 0.

    Example:
        >>> are_weights((2, 0.5)), are_weights((0, 0)), are_weights((1e308, 1e308))
        (True, False, False)
    """
    return all(is_finite(value) and value >= 0 for value in values) and (
        0.0 < sum(map(float, values)) < math.inf
    )


def check_list(name: str, value: Any) -> None:
    """Refuse an option that is no list or tuple; None passes.

    Raises:
        OptionError: naming the option and the value received.
    """
    if value is not None and not isinstance(value, list | tuple):
        raise OptionError(f"option {name!r} is {shortened(value)}; it must be a list")
