"""Select n-grams of random length."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Literal

from maskplug.parts import Schedule, Selector
from maskplug.rng import Rng
from maskplug.schedule import check_rate
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import UintArray, cdf_thresholds
from maskplug.units import Unit, budget, units
from maskplug.validation.options import LENGTH, check_whole
from maskplug.vocabulary import Vocabulary

Law = Literal["inverse", "reversed", "geometric", "uniform"]


def ngram_probs(law: Law, max_n: int) -> list[float]:
    """Return the probabilities of the lengths 1 … ``max_n``.

    Args:
        law: "inverse" (proportional to 1/n), "reversed" (the same probabilities in reverse order),
            "geometric" (with parameter 0.2; longer n-grams are cut to ``max_n``) or "uniform".
        max_n: the maximum length.

    Example:
        >>> [round(p, 3) for p in ngram_probs("inverse", 3)]
        [0.545, 0.273, 0.182]
    """
    weights = {
        "inverse": lambda: [1.0 / n for n in range(1, max_n + 1)],
        "reversed": lambda: [1.0 / n for n in range(max_n, 0, -1)],
        "geometric": lambda: _geometric(max_n),
        "uniform": lambda: [1.0] * max_n,
    }[law]()
    total = list(accumulate(weights))[-1]
    return [weight / total for weight in weights]


def _geometric(max_n: int) -> list[float]:
    tails = list(accumulate(range(1, max_n), lambda tail, _: tail * 0.8, initial=1.0))
    return [0.2 * tail for tail in tails[:-1]] + tails[-1:]


@lru_cache(maxsize=64)
def _limits(law: Law, max_n: int) -> UintArray:
    return cdf_thresholds(ngram_probs(law, max_n))


@dataclass(frozen=True)
class Ngrams(Selector):
    """Select n-grams of 1 to ``max_n`` units, with an exact budget of units.

    Lengths are drawn until the budget, ``rate`` times the units, is spent; the last one is cut to
    fit. Every arrangement of the n-grams is equally likely. They never overlap and may touch; with
    ``max_n`` = 1, every subset of the units is equally likely.

    Args:
        rate: share of the units, 0 to 1, or a schedule.
        max_n: maximum length of an n-gram in units, at most 2**20.
        law: distribution of the lengths, "inverse", "reversed", "geometric" or "uniform"; see
            ``ngram_probs``.
        unit: "word" (n-grams of whole words), "token" or "sentence".

    Source: n-gram masking of Lan et al., "ALBERT", 2020 ("inverse", 3), and of Megatron-LM, which
    has the other distributions; Yang et al., "XLNet", 2019 ("inverse", 5). Their code skips or
    shortens n-grams that do not fit, and stays below the budget.
    """

    rate: Schedule | float = 0.15
    max_n: int = 3
    law: Law = "inverse"
    unit: Unit = "word"

    def __post_init__(self) -> None:
        check_rate("rate", self.rate)
        check_whole("max_n", self.max_n, 1, LENGTH)

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        from maskplug.kernels.spans import spans

        candidates = units(tokens, vocab, self.unit)
        chosen = spans(
            rng.stream_keys("span lengths"),
            rng.stream_keys("span places"),
            *candidates.spans,
            budget(self.rate, candidates.counts, rng),
            _limits(self.law, self.max_n),
            False,
        )
        return Selection(*chosen, len(tokens.ids))
