"""Every so many keys: what sparse Transformers see beside their surroundings."""

from __future__ import annotations

from dataclasses import dataclass

from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Pattern
from maskplug.attention.patterns.basic import Full
from maskplug.attention.patterns.chunked import Chunked
from maskplug.attention.patterns.options import by_value, in_order
from maskplug.attention.site import AttentionCall
from maskplug.errors import OptionError
from maskplug.parts import Schedule
from maskplug.validation.options import check_whole


@dataclass(frozen=True)
class Strided(Pattern):
    """A query sees itself, and every ``stride``-th key before and behind it, however far away.

    The strided attention of Sparse Transformers adds the keys that lie between:
    ``(strided:stride=128 | window:left=127) & causal``.

    Args:
        stride: the distance from each visible key to the next, from 1; or a schedule.

    Source: Child et al., "Generating long sequences with sparse Transformers", 2019.

    Example:
        >>> from maskplug import pattern
        >>> pattern("(strided:stride=3 | window:left=2) & causal").dense(6)[0, 0].astype(int)
        array([[1, 0, 0, 0, 0, 0],
               [1, 1, 0, 0, 0, 0],
               [1, 1, 1, 0, 0, 0],
               [1, 1, 1, 1, 0, 0],
               [0, 1, 1, 1, 1, 0],
               [0, 0, 1, 1, 1, 1]])
    """

    stride: Schedule | int

    def __post_init__(self) -> None:
        """Refuse steps of nothing."""
        check_whole("stride", self.stride, least=1)

    def rows(self, site: AttentionCall) -> Intervals:
        # Steps are counted among all keys, not in the sample's own tokens.
        full, phase = Full().rows(site), site.q + site.starts[:, None, None]
        return by_value(site, self.stride, lambda stride: full.every(stride, phase))


@dataclass(frozen=True)
class Fixed(Pattern):
    """A query sees its own block of ``stride`` tokens, and the end of every block.

    The fixed attention of Sparse Transformers is ``fixed:stride=128,summary=8 & causal``.

    Args:
        stride: how many tokens a block has, from 1; or a schedule.
        summary: how many keys at the end of each block everybody sees, from 1 to ``stride``; or a
            schedule. Where two schedules cross, the whole block is its summary.

    Source: Child et al., "Generating long sequences with sparse Transformers", 2019.

    Example:
        >>> Fixed(stride=2).dense(4)[0, 0].astype(int)
        array([[1, 1, 0, 1], [1, 1, 0, 1], [0, 1, 1, 1], [0, 1, 1, 1]])
    """

    stride: Schedule | int
    summary: Schedule | int = 1

    def __post_init__(self) -> None:
        """Refuse blocks of nothing, and summaries longer than their block."""
        check_whole("stride", self.stride, least=1)
        check_whole("summary", self.summary, least=1)
        if not in_order(self.summary, self.stride):
            raise OptionError(
                f"option 'summary' is {self.summary!r}; a block has {self.stride!r} tokens, and "
                "neither the least nor the greatest value of a summary can be above its block's"
            )

    def rows(self, site: AttentionCall) -> Intervals:
        stride, summary = site.value(self.stride), site.value(self.summary)
        own = site.k[:, None]
        ends = own % stride >= stride - summary
        return Chunked(self.stride).rows(site) | Intervals.of_mask(ends[:, None])
