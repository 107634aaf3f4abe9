"""Tokens that see everything and that everybody sees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Pattern
from maskplug.attention.site import AttentionCall
from maskplug.errors import OptionError
from maskplug.types import BoolArray
from maskplug.validation.options import COUNT, check_list, check_whole


@dataclass(frozen=True)
class GlobalTokens(Pattern):
    """A global token sees every key, and every query sees the global keys.

    Longformer is ``global_tokens | window:left=256,right=256``. In cross attention the queries are
    other tokens, none of which is global.

    With ``positions=null`` it reads the layer ``global_tokens``: one number a key, 1 for a global
    token and 0 for others; those of a question, say, or the heads of sentences.

    Args:
        positions: of the global tokens, counted from the sample's first; negative ones from its
            end, which decoding token by token cannot know. Those that a short sample does not have
            are left out. null: a layer says which.

    Source: Beltagy et al., "Longformer", 2020.

    Example:
        >>> GlobalTokens().dense(3)[0, 0].astype(int)
        array([[1, 1, 1], [1, 0, 0], [1, 0, 0]])
    """

    positions: tuple[int, ...] | None = (0,)

    def __post_init__(self) -> None:
        """Refuse no positions at all."""
        check_list("positions", self.positions)
        if self.positions is not None and not self.positions:
            raise OptionError(
                "option 'positions' is empty; give at least one, or null for those of a layer"
            )
        for position in self.positions or ():
            check_whole("positions", position, -COUNT)

    @property
    def required_annotations(self) -> tuple[str, ...]:  # type: ignore[override]
        """The layer, unless positions are given."""
        return ("global_tokens",) if self.positions is None else ()

    def rows(self, site: AttentionCall) -> Intervals:
        chosen = self._chosen(site)
        keys = Intervals.of_mask(chosen[:, None, None])
        if site.cross:
            return keys | site.intervals((0, 0))
        queries = chosen[:, None, site.here]
        start = site.starts[:, None, None]
        return keys | site.intervals((-start, np.where(queries, site.kv_len, -start)))

    def _chosen(self, site: AttentionCall) -> BoolArray:
        """The global tokens among the keys: bool of shape (batch or 1, keys)."""
        if self.positions is None:
            return np.not_equal(site.per_token("global_tokens", "global_tokens"), 0)
        chosen = np.zeros(site.k.shape, np.bool_)
        for at in self.positions:
            chosen = chosen | (site.k == (at if at >= 0 else site.lengths[:, None] + at))
        return chosen & site.own
