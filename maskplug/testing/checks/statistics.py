"""The law that a strategy declares."""

from __future__ import annotations

import numpy as np

from maskplug import spec as specs
from maskplug.errors import MaskplugError, PluginError
from maskplug.parts import Schedule
from maskplug.testing.laws import mean_and_margin
from maskplug.testing.subject import LAW_LENGTH, NotApplicable, Subject

SAMPLES = 1_500


def _rate(subject: Subject) -> float:
    """The option ``rate`` at the beginning of training."""
    try:
        value = subject.strategy.spec["options"].get("rate")
        if isinstance(value, dict):
            schedule: Schedule = specs.resolve("schedule", value)
            value = float(schedule(np.zeros(1))[0])
    except (PluginError, MaskplugError) as error:
        raise NotApplicable(f"the option 'rate' cannot be read: {error}") from error
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise NotApplicable("the strategy has no option 'rate' from 0 to 1")
    if 0 < value < 4 / LAW_LENGTH:
        raise NotApplicable(f"at a rate of {value}, rows of {LAW_LENGTH} tokens are too short")
    return float(value)


def check_rate(subject: Subject) -> None:
    """The mean share of chosen tokens is the option ``rate``.

    Measured on 1,500 rows of 64 words of one token in 16 sentences of four, so that it is the same
    whether a strategy counts tokens, words or sentences; for a strategy that chooses none of these,
    on words of two or four tokens. The bound is five standard errors: for an exact budget about a
    thousandth of the rate, narrower than any binomial one.
    """
    rate = _rate(subject)
    tokens = subject.equal_rows(np.arange(SAMPLES, dtype=np.uint64))
    chosen = subject.mask(tokens).selection.mask.reshape(SAMPLES, LAW_LENGTH)
    if rate and not chosen.any() and any(one.selection.mask.any() for one in subject.samples):
        raise NotApplicable(
            "it chooses tokens, but none in rows of words of one, two or four ordinary tokens"
        )
    shares = chosen.mean(axis=1, dtype=np.float64)
    mean, margin = mean_and_margin(shares)
    assert abs(mean - rate) <= margin + 1e-9, (
        f"{mean:.6f} of the tokens are chosen on average, and the option 'rate' is {rate:g}; "
        f"chance explains {margin:.6f} of the difference. budget(rate, available, rng) rounds so "
        "that the mean is exact; where 'rate' means something else, declare this check as a known "
        "exception and say what"
    )
