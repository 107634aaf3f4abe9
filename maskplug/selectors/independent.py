"""Select each unit independently."""

from __future__ import annotations

from dataclasses import dataclass

from maskplug.parts import Schedule, Selector
from maskplug.rng import Rng
from maskplug.schedule import check_rate
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import thresholds
from maskplug.units import Unit, units
from maskplug.vocabulary import Vocabulary


@dataclass(frozen=True)
class Independent(Selector):
    """Select each unit with probability ``rate``, independently of all others.

    Args:
        rate: probability of each unit, 0 to 1, or a schedule.
        unit: "token", "word" or "sentence".
        always_one: select one unit of samples in which none was drawn (otherwise many short samples
            have nothing to predict).
        leave_one: leave one unit visible in samples in which all were drawn.

    Source: Conneau and Lample, "Cross-lingual language model pretraining", 2019 (tokens); Sennrich
    et al., "Edinburgh neural machine translation systems for WMT 16", 2016 (words).
    """

    rate: Schedule | float = 0.15
    unit: Unit = "token"
    always_one: bool = True
    leave_one: bool = False

    def __post_init__(self) -> None:
        check_rate("rate", self.rate)

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        from maskplug.kernels.select import independent

        candidates = units(tokens, vocab, self.unit)
        limits = thresholds(rng.value(self.rate))
        keys = rng.stream_keys("independent")
        chosen = independent(keys, candidates.offsets, limits, self.always_one, self.leave_one, 0)
        return candidates.take(chosen)
