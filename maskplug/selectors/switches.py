"""Select a random number of units for SwitchOut."""

from __future__ import annotations

import math
from dataclasses import dataclass

from maskplug.parts import Selector
from maskplug.rng import Rng
from maskplug.tokens import Selection, TokenBatch
from maskplug.units import Unit, units
from maskplug.validation.options import check_number
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class Switches(Selector):
    """Draw a number n, P(n) ∝ exp(-n τ), then select each unit with probability n / units.

    n ranges from 1 to the number of units and is the expected number of selected units. Short
    samples often have none.

    Args:
        tau: at least 0; larger values select fewer units, and 0 makes every n equally likely.
        unit: "token", "word" or "sentence".

    Source: Wang et al., "SwitchOut", 2018, with τ as in the code of its appendix (the paper's
    formula uses its inverse).
    """

    tau: float = 1.0
    unit: Unit = "token"

    def __post_init__(self) -> None:
        check_number("tau", self.tau, least=0.0)

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        from maskplug.kernels.select import switches

        candidates = units(tokens, vocab, self.unit)
        chosen = switches(
            rng.stream_keys("switch count"),
            rng.stream_keys("switch"),
            candidates.offsets,
            math.exp(-self.tau),
        )
        return candidates.take(chosen)
