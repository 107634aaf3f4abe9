"""Fill in the middle: a causal model learns to look at both sides."""

from __future__ import annotations

from typing import Literal

from maskplug.parts import Clock, Schedule
from maskplug.replacements import Fim
from maskplug.selectors import Nothing
from maskplug.strategies.composed import compose
from maskplug.strategy import Strategy
from maskplug.targets import Causal


def fim(
    rate: Schedule | float = 0.5,
    spm: float = 0.5,
    level: Literal["token", "character"] = "token",
    prefix: str | int = "<fim_prefix>",
    middle: str | int = "<fim_middle>",
    suffix: str | int = "<fim_suffix>",
    clock: Clock | str = "epoch",
) -> Strategy:
    """Some texts are cut in three and their middle is written last; every token is predicted.

    Nothing is chosen and nothing hidden: the order is what a model learns from. Labels are the
    inputs, special tokens included, not shifted.

    Args:
        rate: the probability that a text is rearranged, from 0 to 1, or a schedule.
        spm: the share of rearranged texts in which the suffix stands before the prefix.
        level: "token", or "character" for cuts inside tokens (needs the vocabulary's codec); see
            the replacement ``fim`` for the texts that are cut between tokens all the same.
        prefix, middle, suffix: special tokens that stand before the parts, by their text or id.
        clock: when texts are rearranged anew.

    Source: Bavarian et al., "Efficient training of language models to fill in the middle", 2022.
    """
    return compose(Nothing(), Fim(rate, spm, level, prefix, middle, suffix), Causal(), clock)
