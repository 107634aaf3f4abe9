"""Masking that follows the model's losses."""

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
    """Mask tokens with high losses more often, as the model's own losses in training show.

    Losses come from ``maskplug_hf.attach`` or the fairseq tasks; in your own training loop, use
    ``loss_tracking.Losses``. Without losses, all tokens are equally likely, as in ``dynamic``.

    Args:
        rate: share of the tokens, 0 to 1, or a schedule; the number is exact.
        every: number of optimizer steps per round. The losses of a round change the masks from the
            round after the next one on; rounds 0 and 1 mask uniformly.
        momentum: share of the old score that remains when a round ends, 0 to 1.
        temperature: above 0; 1 is proportional to the losses, more flattens, less sharpens.
        floor: smallest weight, 0 to 1, relative to a token of mean loss.
        by: "token" (a score for each token id) or "layer" (a score for each class in the annotation
            ``classes``, for example parts of speech).
        classes: number of classes, for "layer".
        mask: share of the selected tokens that become the mask token, 0 to 1.
        random: share of the selected tokens that become a random token, 0 to 1; the rest is
            unchanged.
        clock: when masks change; the scores change with each round, whatever the clock.

    Source: after Yang et al., "Learning better masking for better language model pre-training",
    2023, with token ids as classes, an exact budget, and the state in the checkpoint; its momentum
    of 0.999 per step is 0.9 per round of 100 steps.
    """
    selector = Adaptive(rate, temperature, floor, by, classes, every, momentum)
    return compose(selector, Mix(mask, random, unit="span"), clock=clock)


def self_evolution(
    bar: float = 0.1, rate: Schedule | float = 0.15, clock: Clock | str = "epoch"
) -> Strategy:
    """Mask exactly the tokens that a model could not predict from the clean text.

    Requires the annotation ``losses``; ``maskplug_hf.clean_losses`` computes it once, before
    training.

    Args:
        bar: tokens with a loss above this threshold become the mask token; at least 0.
        rate: share of the tokens masked at random in rows without such tokens, 0 to 1, or a
            schedule.
        clock: when these random masks change.

    Source: Zhong et al., "Self-Evolution Learning for Discriminative Language Model Pretraining",
    2023.
    """
    return compose(Hard(bar, rate), Mix(mask=1.0, random=0.0), clock=clock)
