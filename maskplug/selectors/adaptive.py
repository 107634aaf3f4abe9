"""Select tokens in proportion to the loss of their class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from maskplug.errors import OptionError, TokenError
from maskplug.loss_tracking import LossTrackingConfig
from maskplug.parts import Schedule, Selector
from maskplug.rng import Rng
from maskplug.schedule import check_rate
from maskplug.selectors.annotation import place
from maskplug.selectors.weighted import by_weight
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import FloatArray, IntArray
from maskplug.units import units
from maskplug.validation.options import check_number
from maskplug.vocabulary import Vocabulary

#: The annotation that holds the class of each token.
CLASSES = "classes"


@dataclass(frozen=True)
class Adaptive(Selector):
    """Select an exact number of tokens, more of those with a high loss.

    The score of a class is the moving average of its loss relative to the mean of all classes. Its
    weight is ``max(floor, score ** (1 / temperature))``. Tokens are drawn without replacement in
    proportion to their weights. If all losses are equal, or none are known yet, every subset of the
    tokens is equally likely.

    Args:
        rate: share of the tokens, 0 to 1, or a schedule.
        temperature: above 0; 1 is proportional to the losses, more flattens, less sharpens.
        floor: smallest weight, 0 to 1, relative to a class of mean loss; keeps easy tokens in use.
        by: "token" (each token id is a class) or "layer" (the annotation ``classes`` holds them).
        classes: number of classes, for "layer".
        every: number of optimizer steps between updates of the scores.
        momentum: share of the old score that an update keeps, 0 to 1.

    Source: the part-of-speech tagging weighted masking of Yang et al., "Learning better masking for
    better language model pre-training", 2023, whose classes are parts of speech. The reference code
    visits words in random order and may stay below its budget.
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
        """How losses are averaged."""
        return LossTrackingConfig(self.every, self.momentum, self.by, self.classes)

    @property
    def required_annotations(self) -> tuple[str, ...]:  # type: ignore[override]
        """``classes`` if classes are not token ids."""
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
        """Return the class of every candidate."""
        if self.classes is None:
            return tokens.ids[candidates.starts]
        # Tokens that are never selected may have any class, such as -1.
        classes: IntArray = tokens.annotations[CLASSES][candidates.starts].astype(np.int64)
        wrong = np.flatnonzero((classes < 0) | (classes >= self.classes))
        if len(wrong):
            i = wrong[0]
            raise TokenError(
                f"the annotation {CLASSES!r} must hold the class of each token, from 0 to "
                f"{self.classes - 1} (option 'classes'); {place(tokens, candidates.starts[i])} has "
                f"{classes[i]}"
            )
        return classes

    def _scores(self, classes: IntArray, rows: IntArray, size: int, rng: Rng) -> FloatArray:
        """Return the score of every candidate at the step of its sample."""
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
            in_round = (rounds == number)[rows]
            scores[in_round] = table[classes[in_round]]
        return scores
