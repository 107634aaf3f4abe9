"""Full, causal and padding masks."""

from __future__ import annotations

from dataclasses import dataclass

from maskplug.attention.call import AttentionCall
from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Pattern


@dataclass(frozen=True)
class Full(Pattern):
    """Every query attends to every key.

    Example:
        >>> Full().dense(2)[0, 0].astype(int)
        array([[1, 1], [1, 1]])
    """

    def rows(self, call: AttentionCall) -> Intervals:
        return call.intervals((-call.starts[:, None, None], call.kv_len))


@dataclass(frozen=True)
class Causal(Pattern):
    """A query attends to itself and to all tokens before it.

    With a cache (``offset``), the last query is at the position of the last key.

    Example:
        >>> Causal().dense(2, 4, offset=2)[0, 0].astype(int)
        array([[1, 1, 1, 0], [1, 1, 1, 1]])
    """

    def rows(self, call: AttentionCall) -> Intervals:
        return call.intervals((-call.starts[:, None, None], call.q + 1))


@dataclass(frozen=True)
class Padding(Pattern):
    """Every query attends to the real keys: those with 1 in the annotation ``valid``.

    Example:
        >>> Padding().dense(2, valid=[[1, 0]])[0, 0].astype(int)
        array([[1, 0], [1, 0]])
    """

    required_annotations = ("valid",)

    def rows(self, call: AttentionCall) -> Intervals:
        valid = call.per_token("valid", "padding") != 0
        return Full().rows(call).only(valid[:, None])
