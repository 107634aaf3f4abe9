"""A row cut into chunks of one size."""

from __future__ import annotations

from dataclasses import dataclass

from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Pattern
from maskplug.attention.site import AttentionCall
from maskplug.parts import Schedule
from maskplug.validation.options import check_whole


@dataclass(frozen=True)
class Chunked(Pattern):
    """A query sees the keys of its own chunk of ``size`` tokens.

    Llama 4's chunked attention is ``chunked:size=8192 & causal``. Shifted windows, in which
    information crosses the borders from layer to layer, are two chunked patterns in ``alternating``
    with half a chunk between their shifts.

    Args:
        size: how many tokens a chunk has, from 1; the last one may have fewer. A schedule lets the
            chunks grow; the mask only gains cells where each size divides the next.
        shift: how many tokens later the borders are, from 0; so many tokens, or what is left of
            them after whole chunks, make a short one at the beginning.

    Source: Meta, "Llama 4", 2025; Liu et al., "Swin Transformer", 2021, for shifted borders.

    Example:
        >>> Chunked(size=2).dense(3)[0, 0].astype(int)
        array([[1, 1, 0], [1, 1, 0], [0, 0, 1]])
    """

    size: Schedule | int
    shift: Schedule | int = 0

    def __post_init__(self) -> None:
        """Refuse chunks of nothing."""
        check_whole("size", self.size, least=1)
        check_whole("shift", self.shift, least=0)

    def rows(self, site: AttentionCall) -> Intervals:
        size, shift = site.value(self.size), site.value(self.shift)
        first = (site.q - shift) // size * size + shift
        return site.intervals((first, first + size))
