"""Select the tokens that a model could not predict from the clean text."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.errors import TokenError
from maskplug.parts import Schedule, Selector
from maskplug.rng import Rng
from maskplug.schedule import check_rate
from maskplug.selectors.annotation import place
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import FloatArray
from maskplug.units import budget, units
from maskplug.validation.options import check_number
from maskplug.vocabulary import Vocabulary

#: The annotation that holds the loss of each token.
LOSSES = "losses"


@dataclass(frozen=True)
class Hard(Selector):
    """Select all tokens whose loss exceeds a threshold; in rows without any, a random exact number.

    The annotation ``losses`` holds the loss of each token under a model that read the clean text.

    Args:
        bar: loss threshold, finite and at least 0.
        rate: share of the tokens of a row without hard tokens, 0 to 1, or a schedule.

    Source: Zhong et al., "Self-Evolution Learning for Discriminative Language Model Pretraining",
    2023.
    """

    bar: float = 0.1
    rate: Schedule | float = 0.15

    required_annotations = (LOSSES,)

    def __post_init__(self) -> None:
        check_rate("rate", self.rate)
        check_number("bar", self.bar, least=0.0)

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        from maskplug.kernels.select import exact

        candidates = units(tokens, vocab)
        hard = _losses(tokens, candidates) > self.bar
        none = np.bincount(candidates.rows[hard], minlength=len(tokens)) == 0
        budgets = np.where(none, budget(self.rate, candidates.counts, rng), 0)
        return candidates.take(hard | exact(rng.stream_keys("exact"), candidates.offsets, budgets))


def _losses(tokens: TokenBatch, candidates: Selection) -> FloatArray:
    losses = tokens.annotations[LOSSES][candidates.starts].astype(np.float64)
    missing = np.flatnonzero(np.isnan(losses))
    if len(missing):
        i = missing[0]
        raise TokenError(
            f"the annotation {LOSSES!r} must hold the loss of every token that may be masked; "
            f"{place(tokens, candidates.starts[i])} has NaN (sample key "
            f"{tokens.keys[candidates.rows[i]]})"
        )
    return losses
