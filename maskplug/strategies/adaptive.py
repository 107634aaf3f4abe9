"""Masking that follows what a model finds hard."""

from __future__ import annotations

from typing import Literal

from maskplug.parts import Clock, Schedule
from maskplug.replacements import Mix
from maskplug.selectors import Adaptive, Hard
from maskplug.strategies.composed import compose
from maskplug.strategy import Strategy


def adaptive(
    rate: Schedule | float = 0.15,
    every: int = 100,
    momentum: float = 0.9,
    temperature: float = 1.0,
    floor: float = 0.1,
    by: Literal["token", "layer"] = "token",
    classes: int | None = None,
    mask: float = 0.8,
    random: float = 0.1,
    clock: Clock | str = "epoch",
) -> Strategy:
    """Hard tokens more often: the model's own losses in training decide, round by round.

    ``maskplug_hf.attach`` and the fairseq tasks tell it the losses; ``loss_tracking.Losses``
    does in a training loop of one's own. Without them it is ``dynamic``: all tokens alike.

    Args:
        rate: share of the tokens, from 0 to 1, or a schedule; it is met exactly.
        every: the number of optimizer steps of a round. Losses of a round move the scores that the
            masks of the round after the next one follow; rounds 0 and 1 are uniform.
        momentum: from 0 to 1, how much of a score stays when a round ends.
        temperature: above 0; 1 follows the losses in proportion, more flattens, less sharpens.
        floor: from 0 to 1, the least weight of a token, where one of mean loss has 1.
        by: "token" (a score for each token id) or "layer" (for each class, as the layer
            ``classes`` gives it for each token: parts of speech, for example).
        classes: the number of classes, for "layer".
        mask: share of the chosen that becomes the mask token.
        random: share of the chosen that becomes a random token; the rest stays as it is.
        clock: when masks change; what they follow changes with the rounds whatever the clock.

    Source: after Yang et al., "Learning better masking for better language model pre-training",
    2023, with the token as class, an exact budget and the state in the checkpoint; its momentum of
    0.999 a step is 0.9 a round of 100 steps.
    """
    selector = Adaptive(rate, temperature, floor, by, classes, every, momentum)
    return compose(selector, Mix(mask, random, unit="span"), clock=clock)


def self_evolution(
    bar: float = 0.1, rate: Schedule | float = 0.15, clock: Clock | str = "epoch"
) -> Strategy:
    """All tokens that a model could not predict from the clean text, and no others.

    Reads the layer ``losses``; ``maskplug_hf.clean_losses`` computes it once, before training.

    Args:
        bar: tokens with a greater loss are masked, each with the mask token.
        rate: share of the tokens that is masked at random in rows without such tokens.
        clock: when these random masks change.

    Source: Zhong et al., "Self-Evolution Learning for Discriminative Language Model Pretraining",
    2023.
    """
    return compose(Hard(bar, rate), Mix(mask=1.0, random=0.0), clock=clock)
