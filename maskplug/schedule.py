"""Schedules: a value, usually the rate, as a function of training progress from 0 to 1.

Each is exact at both ends and clamped outside. Adapters pass the progress with the samples; direct
calls of a strategy pass it as an argument.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.errors import OptionError, shortened
from maskplug.parts import Schedule
from maskplug.types import FloatArray
from maskplug.validation.options import bounds, check_list, check_number, is_finite


@dataclass(frozen=True)
class _Between(Schedule):
    """A schedule from ``start`` (progress 0) to ``end`` (progress 1)."""

    start: float
    end: float

    def __post_init__(self) -> None:
        check_number("start", self.start)
        check_number("end", self.end)

    @property
    def bounds(self) -> tuple[float, float]:
        return min(self.start, self.end), max(self.start, self.end)

    def _interpolate(self, fraction: FloatArray) -> FloatArray:
        # This form, unlike start + (end - start) * fraction, is exact at both ends.
        return self.start * (1.0 - fraction) + self.end * fraction


@dataclass(frozen=True)
class Constant(Schedule):
    """A constant value; equivalent to a plain number in the options of a strategy."""

    value: float

    def __post_init__(self) -> None:
        check_number("value", self.value)

    @property
    def bounds(self) -> tuple[float, float]:
        return self.value, self.value

    def __call__(self, progress: FloatArray) -> FloatArray:
        return np.full_like(progress, self.value)


@dataclass(frozen=True)
class Linear(_Between):
    """Linear interpolation from ``start`` to ``end``.

    Source: Ankner et al., "Dynamic masking rate schedules for MLM pretraining", 2023 (.30 to .15).

    Example:
        >>> Linear(0.30, 0.15)(np.array([0.0, 0.5, 1.0, 7.0])).tolist()
        [0.3, 0.22499999999999998, 0.15, 0.15]
    """

    def __call__(self, progress: FloatArray) -> FloatArray:
        return self._interpolate(np.clip(progress, 0.0, 1.0))


@dataclass(frozen=True)
class Cosine(_Between):
    """Half a cosine wave from ``start`` to ``end``.

    Source: Yang et al., "Learning better masking for better language model pre-training", 2022.

    Example:
        >>> Cosine(0.4, 0.2)(np.array([0.0, 0.5, 1.0])).round(3).tolist()
        [0.4, 0.3, 0.2]
    """

    def __call__(self, progress: FloatArray) -> FloatArray:
        p = np.clip(progress, 0.0, 1.0)
        fraction = 0.5 - 0.5 * np.cos(np.pi * p)
        return self._interpolate(np.where(p >= 1.0, 1.0, fraction))


@dataclass(frozen=True)
class Steps(Schedule):
    """A piecewise constant schedule.

    Args:
        values: one more than there are points in ``at``.
        at: increasing points between 0 and 1; ``values[i + 1]`` applies from ``at[i]`` on.

    Example:
        >>> Steps(values=(0.4, 0.2), at=(0.5,))(np.array([0.0, 0.49, 0.5, 1.0])).tolist()
        [0.4, 0.4, 0.2, 0.2]
    """

    values: tuple[float, ...]
    at: tuple[float, ...]

    def __post_init__(self) -> None:
        for name in ("values", "at"):
            check_list(name, getattr(self, name))
            for value in getattr(self, name):
                check_number(name, value)
        rising = all(a < b for a, b in zip((0.0, *self.at), (*self.at, 1.0), strict=True))
        if len(self.values) != len(self.at) + 1 or not rising:
            raise OptionError(
                f"options 'values' and 'at' are {shortened(self.values)} and {shortened(self.at)}; "
                "'at' must increase between 0 and 1, and 'values' must have one more entry"
            )

    @property
    def bounds(self) -> tuple[float, float]:
        return min(self.values), max(self.values)

    def __call__(self, progress: FloatArray) -> FloatArray:
        return np.asarray(self.values, np.float64)[np.searchsorted(self.at, progress, side="right")]


def progress_at(now: int, total: int) -> float:
    """Return the training progress: 0 at the first of ``total`` epochs or steps, 1 at the last.

    Example:
        >>> [progress_at(epoch, 3) for epoch in range(4)], progress_at(0, 1)
        ([0.0, 0.5, 1.0, 1.0], 0.0)
    """
    return min(now / (total - 1), 1.0) if total > 1 else 0.0


def highest(rate: Schedule | float) -> float:
    """Return the maximum of a rate or of its schedule.

    Example:
        >>> highest(Linear(0.1, 0.3)), highest(0.15)
        (0.3, 0.15)
    """
    return bounds(rate)[1]


def check_share(name: str, share: float) -> None:
    """Raise an OptionError unless a number is in [0, 1]."""
    check_number(name, share, least=0.0, most=1.0)


def check_rate(name: str, rate: Schedule | float) -> None:
    """Raise an OptionError unless a rate, or every value of its schedule, is in [0, 1]."""
    low, high = bounds(rate)
    if not (is_finite(low) and is_finite(high) and low >= 0.0 and high <= 1.0):
        raise OptionError(
            f"option {name!r} is {shortened(rate)}; it must be a number from 0 to 1, or a "
            "schedule that stays between them"
        )
