"""More of what the model finds hard: tokens in proportion to the loss of their class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from maskplug.errors import OptionError, TokenError
from maskplug.loss_tracking import LossTrackingConfig
from maskplug.parts import Schedule, Selector
from maskplug.rng import Rng
from maskplug.schedule import check_rate
from maskplug.selectors.layer import place
from maskplug.selectors.weighted import by_weight
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import FloatArray, IntArray
from maskplug.units import units
from maskplug.validation.options import check_number
from maskplug.vocabulary import Vocabulary

#: The layer that tells the class of each token.
CLASSES = "classes"


@dataclass(frozen=True)
class Adaptive(Selector):
    """Chooses an exact number of tokens, those of hard classes more often.

    A class's score is the moving average of its loss, relative to the mean of all classes; its
    weight is ``max(floor, score ** (1 / temperature))``. Tokens are drawn one after the other in
    proportion to the weights of those that are left. Equal losses, and no losses, give every
    subset of tokens the same chance.

    Args:
        rate: share of the tokens, from 0 to 1, or a schedule.
        temperature: above 0; 1 follows the losses in proportion, more flattens, less sharpens.
        floor: from 0 to 1, the least weight, where a class of mean loss has 1: what is easy now is
            looked at from time to time.
        by: "token" (a class is a token id) or "layer" (the layer ``classes`` gives each token's).
        classes: the number of classes, for "layer".
        every: the number of optimizer steps after which scores change.
        momentum: from 0 to 1, how much of a score stays then.

    Source: the part-of-speech tagging weighted masking of Yang et al., "Learning better masking
    for better language model pre-training", 2023, whose classes are parts of speech. Its reference
    visits words in random order, and may end below its budget.
    """

    rate: Schedule | float = 0.15
    temperature: float = 1.0
    floor: float = 0.1
    by: Literal["token", "layer"] = "token"
    classes: int | None = None
    every: int = 100
    momentum: float = 0.9

    def __post_init__(self) -> None:
        check_rate("rate", self.rate)
        check_number("temperature", self.temperature, above=0.0)
        check_number("floor", self.floor, least=0.0, most=1.0)
        _ = self.feedback_plan  # checks the options that are left

    @property
    def feedback_plan(self) -> LossTrackingConfig:  # type: ignore[override]
        """How the losses are to be summed up."""
        return LossTrackingConfig(self.every, self.momentum, self.by, self.classes)

    @property
    def required_annotations(self) -> tuple[str, ...]:  # type: ignore[override]
        """``classes``, where that layer tells them."""
        return (CLASSES,) if self.by == "layer" else ()

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        candidates = units(tokens, vocab)
        classes = self._classes(tokens, candidates)
        scores = self._scores(classes, candidates.rows, self.feedback_plan.size(vocab), rng)
        with np.errstate(over="ignore"):
            weights = np.maximum(scores ** (1.0 / self.temperature), self.floor)
        weights = np.minimum(weights, np.finfo(np.float64).max)
        return by_weight(candidates, weights, self.rate, rng)

    def _classes(self, tokens: TokenBatch, candidates: Selection) -> IntArray:
        """The class of every token that may be chosen."""
        if self.classes is None:
            return tokens.ids[candidates.starts]
        # Tokens that are never chosen may have any class, such as -1.
        classes: IntArray = tokens.annotations[CLASSES][candidates.starts].astype(np.int64)
        wrong = np.flatnonzero((classes < 0) | (classes >= self.classes))
        if len(wrong):
            i = wrong[0]
            raise TokenError(
                f"the layer {CLASSES!r} holds the class of each token, from 0 to "
                f"{self.classes - 1} (option 'classes'); {place(tokens, candidates.starts[i])} has "
                f"{classes[i]}"
            )
        return classes

    def _scores(self, classes: IntArray, rows: IntArray, size: int, rng: Rng) -> FloatArray:
        """The score of every token that may be chosen, at the time of its sample."""
        scores = np.ones(len(classes))
        if rng.feedback is None or rng.step is None:
            return scores
        rounds = rng.step // self.every
        for number in np.unique(rounds):
            table = rng.feedback.at(int(number) * self.every)
            if len(table) != size:
                raise OptionError(
                    f"the feedback has scores for {len(table)} classes; the strategy has {size}"
                )
            here = (rounds == number)[rows]
            scores[here] = table[classes[here]]
        return scores
