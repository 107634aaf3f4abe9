"""Cross attention along a word alignment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from maskplug.attention.call import AttentionCall
from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Pattern
from maskplug.errors import TokenError
from maskplug.parts import Schedule
from maskplug.types import BoolArray, IntArray
from maskplug.validation.options import check_whole


@dataclass(frozen=True)
class Aligned(Pattern):
    """A target token attends to the source tokens aligned with it, and ``radius`` around each.

    For cross attention. Target tokens without a link, padding included, use ``fallback``.

    Needs the annotation ``links``: a list of pairs (source, target) per sample, counted from the
    first token of each side, as in the Pharaoh format, which ``maskplug.attention.links`` reads; or
    an array of shape (batch, max links, 2) padded with (-1, -1).

    Args:
        radius: number of source tokens on either side of an aligned one, from 0; or a schedule.
        fallback: what a token without a link attends to: "full", the whole source; "nearest", the
            same as the nearest token before it that has a link, or else the nearest after it. In a
            sample without links, the whole source is visible.

    Source: a hard version of the supervised alignment in Garg et al., "Jointly learning to align
    and translate with Transformer models", 2019.

    Example:
        >>> mask = Aligned().dense(3, 4, attention_kind="cross", links=[[(3, 0), (0, 1), (1, 1)]])
        >>> mask[0, 0].astype(int)
        array([[0, 0, 0, 1], [1, 1, 0, 0], [1, 1, 1, 1]])
    """

    required_annotations = ("links",)

    radius: Schedule | int = 0
    fallback: Literal["full", "nearest"] = "full"

    def __post_init__(self) -> None:
        check_whole("radius", self.radius, least=0)

    def rows(self, call: AttentionCall) -> Intervals:
        call.require_cross("aligned")
        sample, source, target = self._links(call)
        query = target + call.query_starts[sample if len(call.query_starts) > 1 else 0 * sample]
        query = query + call.offset  # the nearest linked token may be before the first query
        order = np.lexsort((source, query, sample))
        sample, source, query = sample[order], source[order], query[order]
        rank = _rank(sample * call.q_end + query)
        shape = (call.batch, call.q_end, int(rank.max(initial=0)) + 1)
        links = np.full(shape, -1)
        links[sample, query, rank] = source
        linked = links[:, :, 0] >= 0
        if self.fallback == "nearest":
            links = np.take_along_axis(links, _nearest(linked)[:, :, None], axis=1)
        links = links[:, call.offset :]
        full = links[:, None, :, 0] < 0
        radius, length = call.value(self.radius), call.lengths[:, None, None]
        pairs = [(np.zeros_like(length), np.where(full, length, 0))]
        for i in range(shape[2]):
            link = links[:, None, :, i]
            end = np.where(link < 0, 0, np.minimum(link + radius + 1, length))
            pairs.append((np.maximum(link - radius, 0), end))
        return call.intervals(*pairs)

    def _links(self, call: AttentionCall) -> tuple[IntArray, IntArray, IntArray]:
        """Return sample, source and target of each link.

        Raises:
            TokenError: for a link outside its sentence.
        """
        sample, source, target = call.pairs("links", "aligned")
        sources = np.broadcast_to(call.lengths, call.batch)[sample]
        targets = np.broadcast_to(call.query_lengths, call.batch)[sample]
        out = (source < 0) | (source >= sources) | (target < 0) | (target >= targets)
        if out.any():
            i = int(out.argmax())
            raise TokenError(
                f"{call.name_of(sample[i])}: the link {source[i]}-{target[i]} (source-target, "
                f"counted from 0) is outside the sentence, which has {sources[i]} source tokens "
                f"and {targets[i]} target tokens"
            )
        return sample, source, target


def _rank(groups: IntArray) -> IntArray:
    """Return the index of each item within its run of equal numbers."""
    index = np.arange(len(groups))
    first = np.diff(groups, prepend=-1) != 0
    return index - np.maximum.accumulate(np.where(first, index, 0))


def _nearest(linked: BoolArray) -> IntArray:
    """Return the last linked query up to each query, else the next one: int64, (batch, queries).

    If no query is linked, the result is any index.
    """
    number = linked.shape[1]
    index = np.arange(number)
    before = np.maximum.accumulate(np.where(linked, index, -1), axis=1)
    after = np.minimum.accumulate(np.where(linked, index, number)[:, ::-1], axis=1)[:, ::-1]
    nearest: IntArray = np.where(before >= 0, before, after) % max(number, 1)
    return nearest
