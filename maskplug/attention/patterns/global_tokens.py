"""Global tokens, which attend to all tokens and are visible to all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.attention.call import AttentionCall
from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Pattern
from maskplug.errors import OptionError
from maskplug.types import BoolArray
from maskplug.validation.options import COUNT, check_list, check_whole


@dataclass(frozen=True)
class GlobalTokens(Pattern):
    """A global token attends to every key, and every query attends to the global keys.

    Longformer is ``global_tokens | window:left=256,right=256``. In cross attention no query is
    global.

    With ``positions=null`` it needs the annotation ``global_tokens``: one number per key, 1 for a
    global token and 0 for others, for example for the tokens of a question.

    Args:
        positions: of the global tokens, from the sample's first token; negative ones count from its
            end, which is unknown while decoding token by token. Positions beyond the end of a short
            sample are ignored. null: use the annotation.

    Source: Beltagy et al., "Longformer", 2020.

    Example:
        >>> GlobalTokens().dense(3)[0, 0].astype(int)
        array([[1, 1, 1], [1, 0, 0], [1, 0, 0]])
    """

    positions: tuple[int, ...] | None = (0,)

    def __post_init__(self) -> None:
        check_list("positions", self.positions)
        if self.positions is not None and not self.positions:
            raise OptionError(
                "option 'positions' is empty; give at least one, or null to use the annotation "
                "'global_tokens'"
            )
        for position in self.positions or ():
            check_whole("positions", position, -COUNT)

    @property
    def required_annotations(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("global_tokens",) if self.positions is None else ()

    def rows(self, call: AttentionCall) -> Intervals:
        chosen = self._chosen(call)
        keys = Intervals.of_mask(chosen[:, None, None])
        if call.cross:
            return keys | call.intervals((0, 0))
        queries = chosen[:, None, call.q_slice]
        start = call.starts[:, None, None]
        return keys | call.intervals((-start, np.where(queries, call.kv_len, -start)))

    def _chosen(self, call: AttentionCall) -> BoolArray:
        """Return the global tokens among the keys: bool of shape (batch or 1, kv_len)."""
        if self.positions is None:
            return np.not_equal(call.per_token("global_tokens", "global_tokens"), 0)
        chosen = np.zeros(call.k.shape, np.bool_)
        for at in self.positions:
            chosen = chosen | (call.k == (at if at >= 0 else call.lengths[:, None] + at))
        return chosen & call.in_sample
