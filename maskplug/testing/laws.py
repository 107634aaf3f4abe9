"""The two tests of statistics that checks need, exact or with margins for fixed seeds."""

from __future__ import annotations

from math import comb, sqrt

from maskplug.types import FloatArray

#: A fixed seed passes or fails for ever; one in a million seeds fails without a reason.
RARE = 1e-6
#: As rare, in standard errors of a mean.
ERRORS = 5.0


def binomial_p(successes: int, trials: int) -> float:
    """The two-sided p-value of a count under a fair coin, exactly.

    Example:
        >>> binomial_p(5, 10), binomial_p(0, 10) == 2 / 2**10
        (1.0, True)
    """
    few = min(successes, trials - successes)
    ways = sum(comb(trials, k) for k in range(few + 1))
    return float(min(1.0, 2 * ways / 2**trials))


def mean_and_margin(values: FloatArray) -> tuple[float, float]:
    """The mean of draws, and five standard errors: how far the mean of their law may be from it.

    Example:
        >>> import numpy as np
        >>> mean_and_margin(np.array([0.25, 0.25]))
        (0.25, 0.0)
    """
    return float(values.mean()), ERRORS * float(values.std(ddof=1)) / sqrt(len(values))
