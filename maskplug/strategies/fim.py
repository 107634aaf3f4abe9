"""Fill in the middle, for causal language models."""

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
    """Move the middle of some texts to the end; every token is predicted (fill in the middle).

    Nothing is masked: the model learns from the order. Labels are a copy of the inputs, special
    tokens included, not shifted.

    Args:
        rate: probability that a text is rearranged, 0 to 1, or a schedule.
        spm: share of the rearranged texts in which the suffix precedes the prefix, 0 to 1.
        level: "token", or "character" for cuts inside tokens (requires the vocabulary's codec); see
            the replacement ``fim`` for texts that are cut between tokens even then.
        prefix, middle, suffix: special tokens that precede the parts, by text or id.
        clock: when the rearrangement changes.

    Source: Bavarian et al., "Efficient training of language models to fill in the middle", 2022.
    """
    return compose(Nothing(), Fim(rate, spm, level, prefix, middle, suffix), Causal(), clock)
