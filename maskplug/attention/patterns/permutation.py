"""Attention in an order of prediction, as in XLNet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from maskplug.attention.call import AttentionCall
from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Pattern
from maskplug.attention.patterns.draws import draws, placed, sample_lengths
from maskplug.attention.patterns.options import clock_of
from maskplug.parts import Clock
from maskplug.types import IntArray, offsets_of, readonly


@dataclass(frozen=True)
class Permutation(Pattern):
    """A query attends to tokens predicted before it, and to tokens that are not predicted.

    A query that is not predicted attends to all tokens that are not predicted. All heads and layers
    share the order: with different ones, information about a token could leak through another
    layer.

    Args:
        order: "layer": use the annotation ``order``, which the strategy ``permutation`` provides;
            the mask then equals ``objectives.xlnet.perm_mask``. "drawn": draw a random order of
            each sample's tokens.
        stream: "query": a predicted token does not attend to itself; the first token of a full
            order then has no visible key. "content": every token attends to itself, too.
        clock: when orders are redrawn, "step" if null; only for ``order="drawn"``.

    With ``order="layer"`` it needs the annotation ``order``: one value per key, the rank of each
    predicted token from 0, and -1 for others.

    Source: Yang et al., "XLNet", 2019.

    Example:
        >>> Permutation(stream="content").dense(3, order=[-1, 1, 0])[0, 0].astype(int)
        array([[1, 0, 0], [1, 1, 1], [1, 0, 1]])
    """

    order: Literal["layer", "drawn"] = "layer"
    stream: Literal["query", "content"] = "query"
    clock: Clock | None = None

    def __post_init__(self) -> None:
        reason = "order 'layer' is not random; only 'drawn' has a clock"
        object.__setattr__(self, "clock", clock_of(self.clock, self.order == "drawn", reason))

    @property
    def required_annotations(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("order",) if self.order == "layer" else ()

    def rows(self, call: AttentionCall) -> Intervals:
        from maskplug.kernels.intervals import grown
        from maskplug.kernels.numbered import earlier

        call.refuse_cross("permutation", "queries are not in the order of the keys")
        keys = readonly(self._order(call), np.int64)
        itself = np.arange(call.kv_len) if self.stream == "content" else np.full(call.kv_len, -1)
        queries = (readonly(array[..., call.q_slice], np.int64) for array in (keys, itself))
        ranks, itself = queries
        bounds = grown(earlier, ranks, keys, itself)
        return Intervals.from_kernel(call.kv_len, (len(keys), 1, call.q_len), bounds)

    def _order(self, call: AttentionCall) -> IntArray:
        """Return the rank of each key: int64 of shape (batch or 1, kv_len)."""
        from maskplug.kernels.arrange import ranks

        if self.clock is None:
            return call.per_token("order", "permutation")
        rng = draws(call, self.clock)
        offsets = readonly(offsets_of(sample_lengths(call)), np.int64)
        order: IntArray = placed(call, ranks(rng.stream_keys("attention order"), offsets), -1)
        return order
