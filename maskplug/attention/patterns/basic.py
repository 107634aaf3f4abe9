"""Everything, what came before, and real tokens."""

from __future__ import annotations

from dataclasses import dataclass

from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Pattern
from maskplug.attention.site import AttentionCall


@dataclass(frozen=True)
class Full(Pattern):
    """Every query sees every key.

    Example:
        >>> Full().dense(2)[0, 0].astype(int)
        array([[1, 1], [1, 1]])
    """

    def rows(self, site: AttentionCall) -> Intervals:
        return site.intervals((-site.starts[:, None, None], site.kv_len))


@dataclass(frozen=True)
class Causal(Pattern):
    """A query sees itself and what came before.

    With a cache (``offset``), the last query is the last key: the triangle stands at the lower
    right.

    Example:
        >>> Causal().dense(2, 4, offset=2)[0, 0].astype(int)
        array([[1, 1, 1, 0], [1, 1, 1, 1]])
    """

    def rows(self, site: AttentionCall) -> Intervals:
        return site.intervals((-site.starts[:, None, None], site.q + 1))


@dataclass(frozen=True)
class Padding(Pattern):
    """Every query sees the real keys: those that are 1 in the layer ``valid``.

    Example:
        >>> Padding().dense(2, valid=[[1, 0]])[0, 0].astype(int)
        array([[1, 0], [1, 0]])
    """

    required_annotations = ("valid",)

    def rows(self, site: AttentionCall) -> Intervals:
        valid = site.per_token("valid", "padding") != 0
        return Full().rows(site).only(valid[:, None])
