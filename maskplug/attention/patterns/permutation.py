"""An order in which tokens are predicted, and who may see whom in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Pattern
from maskplug.attention.patterns.cross import refuse_cross
from maskplug.attention.patterns.draws import clock_of, draws, own_lengths, placed
from maskplug.attention.site import AttentionCall
from maskplug.parts import Clock
from maskplug.types import IntArray, offsets_of, readonly


@dataclass(frozen=True)
class Permutation(Pattern):
    """A query sees the tokens that are predicted before it, and those that are not predicted.

    A query that is not predicted sees all others that are not, and no predicted one. Heads and
    layers share the order: otherwise a token could be seen on a detour through another layer.

    Args:
        order: "layer" reads it, as the strategy ``permutation`` makes it: the mask is then what
            ``objectives.xlnet.perm_mask`` leaves visible. "drawn" draws a full order of each
            sample's own tokens by its key, every order equally likely.
        stream: "query": a predicted token does not see itself, as where it is to be predicted; the
            first of a full order then sees nothing. "content": every token sees itself, too.
        clock: when orders are drawn anew, "step" if null; only ``order="drawn"`` has one.

    Reads the layer ``order`` for ``order="layer"``: one value a key, the rank of each predicted
    token from 0, and -1 elsewhere.

    Source: Yang et al., "XLNet", 2019.

    Example:
        >>> Permutation(stream="content").dense(3, order=[-1, 1, 0])[0, 0].astype(int)
        array([[1, 0, 0], [1, 1, 1], [1, 0, 1]])
    """

    order: Literal["layer", "drawn"] = "layer"
    stream: Literal["query", "content"] = "query"
    clock: Clock | None = None

    def __post_init__(self) -> None:
        """Refuse a clock that nothing would follow."""
        otherwise = "order 'layer' draws nothing; only 'drawn' has a clock"
        object.__setattr__(self, "clock", clock_of(self.clock, self.order == "drawn", otherwise))

    @property
    def required_annotations(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("order",) if self.order == "layer" else ()

    def rows(self, site: AttentionCall) -> Intervals:
        from maskplug.kernels.intervals import grown
        from maskplug.kernels.ranked import earlier

        refuse_cross(site, "permutation", "queries have no place in the order of the keys")
        keys = readonly(self._order(site), np.int64)
        here = site.here
        itself = np.arange(site.kv_len) if self.stream == "content" else np.full(site.kv_len, -1)
        made = grown(
            earlier, readonly(keys[:, here], np.int64), keys, readonly(itself[here], np.int64)
        )
        return Intervals.from_kernel(site.kv_len, (len(keys), 1, site.q_len), made)

    def _order(self, site: AttentionCall) -> IntArray:
        """The rank of each key: int64 of shape (batch or 1, keys)."""
        from maskplug.kernels.order import ranks

        if self.clock is None:
            return site.per_token("order", "permutation")
        rng = draws(site, self.clock)
        offsets = readonly(offsets_of(own_lengths(site)), np.int64)
        order: IntArray = placed(site, ranks(rng.stream_keys("attention order"), offsets), -1)
        return order
