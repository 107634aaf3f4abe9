"""The most that a budget can be: what the bounds of several selectors share."""

from __future__ import annotations

import numpy as np

from maskplug.arrays import IntArray
from maskplug.parts import Schedule


def most(rate: Schedule | float, units: IntArray) -> IntArray:
    """The greatest budget that ``rate`` can ask of so many units: int64, one each.

    Example:
        >>> most(0.15, np.array([0, 3, 200])).tolist()
        [0, 1, 30]
    """
    high = rate.bounds[1] if isinstance(rate, Schedule) else rate
    budgets: IntArray = np.ceil(high * units).astype(np.int64)
    return np.minimum(budgets, units)
