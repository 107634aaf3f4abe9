"""The strided and fixed patterns of Sparse Transformers."""

from __future__ import annotations

from dataclasses import dataclass

from maskplug.attention.call import AttentionCall
from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Pattern
from maskplug.attention.patterns.chunked import Chunked
from maskplug.attention.patterns.dilated import Dilated
from maskplug.attention.patterns.options import in_order
from maskplug.errors import OptionError
from maskplug.parts import Schedule
from maskplug.validation.options import check_whole


@dataclass(frozen=True)
class Strided(Pattern):
    """A query attends to itself, and to every ``stride``-th key before and after it.

    The strided attention of Sparse Transformers adds the keys in between:
    ``(strided:stride=128 | window:left=127) & causal``.

    Args:
        stride: distance between visible keys, from 1; or a schedule.

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
        check_whole("stride", self.stride, least=1)

    def rows(self, call: AttentionCall) -> Intervals:
        return Dilated(None, None, self.stride).rows(call)


@dataclass(frozen=True)
class Fixed(Pattern):
    """A query attends to its own block of ``stride`` tokens, and to the end of every block.

    The fixed attention of Sparse Transformers is ``fixed:stride=128,summary=8 & causal``.

    Args:
        stride: number of tokens per block, from 1; or a schedule.
        summary: number of keys at the end of each block that all queries attend to, from 1 to
            ``stride``; or a schedule. If it exceeds the stride, the whole block is visible.

    Source: Child et al., "Generating long sequences with sparse Transformers", 2019.

    Example:
        >>> Fixed(stride=2).dense(4)[0, 0].astype(int)
        array([[1, 1, 0, 1], [1, 1, 0, 1], [0, 1, 1, 1], [0, 1, 1, 1]])
    """

    stride: Schedule | int
    summary: Schedule | int = 1

    def __post_init__(self) -> None:
        check_whole("stride", self.stride, least=1)
        check_whole("summary", self.summary, least=1)
        if not in_order(self.summary, self.stride):
            raise OptionError(
                f"option 'summary' is {self.summary!r}, but a block has {self.stride!r} tokens; "
                "the smallest and the largest summary must not exceed those of 'stride'"
            )

    def rows(self, call: AttentionCall) -> Intervals:
        stride, summary = call.value(self.stride), call.value(self.summary)
        ends = call.k[:, None] % stride >= stride - summary
        return Chunked(self.stride).rows(call) | Intervals.of_mask(ends[:, None])
