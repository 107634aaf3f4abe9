"""Tokens by their scores: an exact number of them, or each on its own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from maskplug.errors import OptionError, TokenError
from maskplug.parts import Schedule, Selector
from maskplug.preprocessing.resource import Resource
from maskplug.rng import Rng
from maskplug.schedule import check_rate
from maskplug.selectors.layer import place
from maskplug.selectors.scores import check_count, raised, read_scores
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import FloatArray, IntArray, readonly, thresholds
from maskplug.units import budget, units
from maskplug.validation.options import check_number
from maskplug.vocabulary import Vocabulary


def by_weight(
    candidates: Selection, weights: FloatArray, rate: Schedule | float, rng: Rng
) -> Selection:
    """``rate`` times the candidates of each sample, one after the other in proportion to weight.

    Args:
        candidates: all units of the batch, as ``units`` gives them.
        weights: one for each of them, finite and not negative. Units of weight 0 are chosen only
            where no other is left.
        rate: from 0 to 1, or a schedule; rounded as ``budget`` rounds.
        rng: draws ``budget`` and ``weighted``.
    """
    return _drawn(candidates, weights, budget(rate, candidates.counts, rng), rng)


def _drawn(candidates: Selection, weights: FloatArray, budgets: IntArray, rng: Rng) -> Selection:
    from maskplug.kernels.weighted import weighted

    keys = rng.stream_keys("weighted")
    chosen = weighted(
        keys, candidates.offsets, readonly(weights, np.float64), readonly(budgets, np.int64)
    )
    return candidates.take(chosen)


@lru_cache(maxsize=8)
def _table(file: Resource, power: float, exact: bool) -> FloatArray:
    """The weight of every id; the file's line is named where one is out of range."""
    with np.errstate(over="ignore", divide="ignore"):
        weights = raised(read_scores(file), power)
    wrong = ~(weights <= 1.0) if not exact else ~np.isfinite(weights)
    if wrong.any():
        first = int(np.argmax(wrong))
        raise OptionError(
            f"{file.path}, line {first + 1}: {read_scores(file)[first]} to the power {power} is "
            f"{weights[first]}; it must be {'finite' if exact else 'a probability, from 0 to 1'}"
        )
    return weights


@dataclass(frozen=True)
class Weighted(Selector):
    """Chooses tokens by their scores.

    Args:
        scores: a file with one number a line, one for each id of the vocabulary, or a ``.npy``
            file; without it the layer ``scores`` of the batch, a number for each token.
        power: to which scores are raised: -0.5 makes weights of counts as XLM does. It is rounded
            to a multiple of 2**-16; to a negative power, 0 counts as 1.
        exact: whether the budget is exact: tokens are drawn one after the other, each in proportion
            to its weight among those that are left, until ``rate`` times the tokens are chosen.
            Equal scores then make every subset equally likely. False: each token is chosen on its
            own with probability (its score), and where none is, one in proportion to its score.
        rate: share of the tokens, from 0 to 1, or a schedule; it counts only where the budget is
            exact.

    Raises:
        OptionError: for a bad score, by the number of its line.

    Source: frequency weighting of Conneau and Lample, "Cross-lingual language model pretraining",
    2019; with ``exact=False``, Sadeq et al., "InforMask", 2022.
    """

    scores: Resource | None = None
    power: float = 1.0
    exact: bool = True
    rate: Schedule | float = 0.15

    def __post_init__(self) -> None:
        check_rate("rate", self.rate)
        check_number("power", self.power, least=-64.0, most=64.0)
        if self.scores is not None:
            _table(self.scores, self.power, self.exact)

    @property
    def required_annotations(self) -> tuple[str, ...]:  # type: ignore[override]
        return () if self.scores is not None else ("scores",)

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        candidates = units(tokens, vocab)
        weights = self._weights(tokens, vocab)[candidates.starts]
        if self.exact:
            return by_weight(candidates, weights, self.rate, rng)
        words = rng.bits("by score", candidates.counts)
        chosen = words < thresholds(weights)
        drawn = np.bincount(candidates.rows[chosen], minlength=len(tokens))
        # Without any, one as if the budget were exact; the coins of all others stand.
        single = np.minimum(candidates.counts, 1) * (drawn == 0)
        return Selection.from_mask(
            candidates.take(chosen).mask | _drawn(candidates, weights, single, rng).mask, tokens
        )

    def _weights(self, tokens: TokenBatch, vocab: Vocabulary) -> FloatArray:
        """The weight of every token."""
        if self.scores is not None:
            check_count(self.scores, vocab.size)
            return _table(self.scores, self.power, self.exact)[tokens.ids]
        layer = tokens.annotations["scores"].astype(np.float64)
        with np.errstate(all="ignore"):
            weights = raised(layer, self.power)
        fits = (layer >= 0.0) & (weights <= (np.finfo(np.float64).max if self.exact else 1.0))
        if not fits.all():
            first = int(np.argmin(fits))
            what = "finite numbers that are not negative" if self.exact else "probabilities"
            raise TokenError(
                f"the layer 'scores' holds {what}; {place(tokens, first)} has {layer[first]} (to "
                f"the power {self.power}: {weights[first]})"
            )
        return weights
