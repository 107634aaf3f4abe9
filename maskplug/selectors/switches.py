"""A few units: the number of changes has a geometric law, the units are drawn one by one."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from maskplug.parts import Selector
from maskplug.rng import Rng
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import FloatArray
from maskplug.units import Unit, units
from maskplug.validation.options import check_number
from maskplug.vocabulary import Vocabulary


def switch_probs(tau: float, count: int) -> FloatArray:
    """The probabilities of 1 … ``count`` changes.

    Example:
        >>> switch_law(1.0, 3).round(4).tolist()
        [0.6652, 0.2447, 0.09]
    """
    weights = np.exp(-tau * np.arange(count))
    return np.asarray(weights / weights.sum())


@dataclass(frozen=True)
class Switches(Selector):
    """Draws a number n of changes, P(n) ∝ exp(-n τ), then each unit with probability n / units.

    n is from 1 to the number of units. The units chosen are n on average; in a short sample there
    are often none.

    Args:
        tau: from 0 (any number of changes is equally likely) up; a greater one makes fewer changes.
        unit: "token", "word" or "sentence".

    Source: Wang et al., "SwitchOut", 2018, with τ as in the code of its appendix (the paper's
    formula has its inverse).
    """

    tau: float = 1.0
    unit: Unit = "token"

    def __post_init__(self) -> None:
        check_number("tau", self.tau, least=0.0)

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        from maskplug.kernels.switch import switches

        candidates = units(tokens, vocab, self.unit)
        chosen = switches(
            rng.stream_keys("switch count"),
            rng.stream_keys("switch"),
            candidates.offsets,
            math.exp(-self.tau),
        )
        return candidates.take(chosen)
