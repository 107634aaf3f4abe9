"""The first tokens, which every query sees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Pattern
from maskplug.attention.site import AttentionCall
from maskplug.parts import Schedule
from maskplug.validation.options import check_whole


@dataclass(frozen=True)
class Sink(Pattern):
    """Every query sees the first ``n`` tokens of its sample.

    Long contexts keep them in view beside a window: ``(sink:n=4 | window:left=1023) & causal``.

    Args:
        n: how many, from 1; or a schedule.

    Source: Xiao et al., "Efficient streaming language models with attention sinks", 2024.

    Example:
        >>> Sink(n=1).dense(2)[0, 0].astype(int)
        array([[1, 0], [1, 0]])
    """

    n: Schedule | int = 4

    def __post_init__(self) -> None:
        """Refuse less than one."""
        check_whole("n", self.n, least=1)

    def rows(self, site: AttentionCall) -> Intervals:
        return site.intervals((np.zeros_like(site.q), site.value(self.n)))
