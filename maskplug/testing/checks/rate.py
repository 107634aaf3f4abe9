"""The option ``rate`` is the share of chosen tokens."""

from __future__ import annotations

from math import sqrt

import numpy as np

from maskplug import spec as specs
from maskplug.errors import MaskplugError
from maskplug.parts import Schedule
from maskplug.testing.subject import EQUAL_LENGTH, NotApplicable, Subject

SAMPLES = 1_500
#: Standard errors of a mean; one in a million seeds fails for a sound strategy.
MAX_ERRORS = 5.0


def _rate(subject: Subject) -> float:
    """Return the option ``rate`` at the beginning of training."""
    try:
        value = subject.strategy.spec["options"].get("rate")
        if isinstance(value, dict):
            schedule: Schedule = specs.resolve("schedule", value)
            value = float(schedule(np.zeros(1))[0])
    except MaskplugError as error:
        raise NotApplicable(f"the option 'rate' cannot be read: {error}") from error
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise NotApplicable("the strategy has no option 'rate' from 0 to 1")
    if 0 < value < 4 / EQUAL_LENGTH:
        raise NotApplicable(f"rows of {EQUAL_LENGTH} tokens are too short for a rate of {value}")
    return float(value)


def check_rate(subject: Subject) -> None:
    """The mean share of chosen tokens is the option ``rate``.

    Measured on 1,500 rows of 64 one-token words in 16 sentences of four, so that the share is the
    same in tokens, words and sentences; words have two or four tokens if the strategy chooses none
    of one token. The tolerance is five standard errors: about a thousandth of the rate for an exact
    budget.
    """
    rate = _rate(subject)
    tokens = subject.equal_rows(np.arange(SAMPLES, dtype=np.uint64))
    chosen = subject.mask(tokens).selection.mask.reshape(SAMPLES, EQUAL_LENGTH)
    if rate and not chosen.any() and any(masked.selection.mask.any() for masked in subject.samples):
        raise NotApplicable(
            "it chooses tokens, but none in rows of words of one, two or four ordinary tokens"
        )
    shares = chosen.mean(axis=1, dtype=np.float64)
    mean, margin = float(shares.mean()), MAX_ERRORS * float(shares.std(ddof=1)) / sqrt(SAMPLES)
    assert abs(mean - rate) <= margin + 1e-9, (
        f"{mean:.6f} of the tokens are chosen on average, but the option 'rate' is {rate:g}; the "
        f"statistical tolerance is {margin:.6f}. budget(rate, available, rng) rounds so that the "
        "mean is exact; if 'rate' means something else, declare this check as a known exception "
        "with the reason"
    )
