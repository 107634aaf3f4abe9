"""Attention sinks: the first tokens."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.attention.call import AttentionCall
from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Pattern
from maskplug.parts import Schedule
from maskplug.validation.options import check_whole


@dataclass(frozen=True)
class Sink(Pattern):
    """Every query attends to the first ``n`` tokens of its sample.

    Models with long contexts combine them with a window:
    ``(sink:n=4 | window:left=1023) & causal``.

    Args:
        n: number of tokens, from 1; or a schedule.

    Source: Xiao et al., "Efficient streaming language models with attention sinks", 2024.

    Example:
        >>> Sink(n=1).dense(2)[0, 0].astype(int)
        array([[1, 0], [1, 0]])
    """

    n: Schedule | int = 4

    def __post_init__(self) -> None:
        check_whole("n", self.n, least=1)

    def rows(self, call: AttentionCall) -> Intervals:
        return call.intervals((np.zeros_like(call.q), call.value(self.n)))
