"""Attention within chunks of a fixed size."""

from __future__ import annotations

from dataclasses import dataclass

from maskplug.attention.call import AttentionCall
from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Pattern
from maskplug.parts import Schedule
from maskplug.validation.options import check_whole


@dataclass(frozen=True)
class Chunked(Pattern):
    """A query attends to the keys of its own chunk of ``size`` tokens.

    Llama 4's chunked attention is ``chunked:size=8192 & causal``. Shifted windows, which exchange
    information between chunks from layer to layer, are two chunked patterns in ``alternating``
    whose shifts differ by half a chunk.

    Args:
        size: number of tokens per chunk, from 1; the last chunk may be shorter. With a schedule,
            visible cells stay visible if each size divides the next.
        shift: number of tokens by which chunk borders move to the right, from 0; the first chunk
            has ``shift % size`` tokens.

    Source: Meta, "Llama 4", 2025; Liu et al., "Swin Transformer", 2021, for shifted borders.

    Example:
        >>> Chunked(size=2).dense(3)[0, 0].astype(int)
        array([[1, 1, 0], [1, 1, 0], [0, 0, 1]])
    """

    size: Schedule | int
    shift: Schedule | int = 0

    def __post_init__(self) -> None:
        check_whole("size", self.size, least=1)
        check_whole("shift", self.shift, least=0)

    def rows(self, call: AttentionCall) -> Intervals:
        size, shift = call.value(self.size), call.value(self.shift)
        first = (call.q - shift) // size * size + shift
        return call.intervals((first, first + size))
