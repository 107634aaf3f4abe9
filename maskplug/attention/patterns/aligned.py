"""Cross attention along the links of a word alignment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Pattern
from maskplug.attention.patterns.cross import only_cross
from maskplug.attention.site import AttentionCall
from maskplug.errors import TokenError
from maskplug.parts import Schedule
from maskplug.types import BoolArray, IntArray
from maskplug.validation.options import check_whole


@dataclass(frozen=True)
class Aligned(Pattern):
    """A target token sees the source tokens that it is linked to, and ``radius`` around each.

    For cross attention. No target token sees nothing: ``fallback`` says what those see that have no
    link, padding among them.

    Reads the layer ``links``: for each sample a list of pairs (source, target), counted from the
    first token of either, as in Pharaoh's format, which ``maskplug.attention.links`` reads; or an
    array of shape (batch, most, 2), filled up with pairs of (-1, -1).

    Args:
        radius: how many source tokens on either side of a linked one, from 0; or a schedule.
        fallback: what a token without a link sees: the source in full ("full"), or what the nearest
            linked token before it sees, or else the nearest behind it ("nearest"). In a sample
            without links all is seen.

    Source: the hard form of what Garg et al., "Jointly learning to align and translate with
    Transformer models", 2019, teach by a loss.

    Example:
        >>> seen = Aligned().dense(3, 4, place="cross", links=[[(3, 0), (0, 1), (1, 1)]])
        >>> seen[0, 0].astype(int)
        array([[0, 0, 0, 1], [1, 1, 0, 0], [1, 1, 1, 1]])
    """

    required_annotations = ("links",)

    radius: Schedule | int = 0
    fallback: Literal["full", "nearest"] = "full"

    def __post_init__(self) -> None:
        """Refuse negative numbers."""
        check_whole("radius", self.radius, least=0)

    def rows(self, site: AttentionCall) -> Intervals:
        only_cross(site, "aligned")
        sample, source, target = self._links(site)
        query = target + site.query_starts[sample if len(site.query_starts) > 1 else 0 * sample]
        query = query + site.offset  # among all tokens so far: a nearest one may stand before
        order = np.lexsort((source, query, sample))
        sample, source, query = sample[order], source[order], query[order]
        rank = _rank(sample * site.so_far + query)
        shape = (site.batch, site.so_far, int(rank.max(initial=0)) + 1)
        links = np.full(shape, -1)
        links[sample, query, rank] = source
        linked = links[:, :, 0] >= 0
        if self.fallback == "nearest":
            links = np.take_along_axis(links, _nearest(linked)[:, :, None], axis=1)
        links = links[:, site.offset :]
        full = links[:, None, :, 0] < 0
        radius, length = site.value(self.radius), site.lengths[:, None, None]
        pairs = [(np.zeros_like(length), np.where(full, length, 0))]
        for i in range(shape[2]):
            link = links[:, None, :, i]
            end = np.where(link < 0, 0, np.minimum(link + radius + 1, length))
            pairs.append((np.maximum(link - radius, 0), end))
        return site.intervals(*pairs)

    def _links(self, site: AttentionCall) -> tuple[IntArray, IntArray, IntArray]:
        """Sample, source and target of each link.

        Raises:
            TokenError: for a link that leaves its sentence.
        """
        sample, source, target = site.pairs("links", "aligned")
        sources = np.broadcast_to(site.lengths, site.batch)[sample]
        targets = np.broadcast_to(site.query_lengths, site.batch)[sample]
        out = (source < 0) | (source >= sources) | (target < 0) | (target >= targets)
        if out.any():
            i = int(out.argmax())
            raise TokenError(
                f"{site.called(sample[i])}: the link {source[i]}-{target[i]} (source-target, "
                f"counted from 0) leaves the sentence, whose source has {sources[i]} tokens and "
                f"whose target has {targets[i]}"
            )
        return sample, source, target


def _rank(groups: IntArray) -> IntArray:
    """The place of each among those of its number, which stand together."""
    index = np.arange(len(groups))
    first = np.diff(groups, prepend=-1) != 0
    return index - np.maximum.accumulate(np.where(first, index, 0))


def _nearest(linked: BoolArray) -> IntArray:
    """For each query the last linked one up to it, else the next: int64, (batch, queries).

    Where none is linked, any.
    """
    number = linked.shape[1]
    index = np.arange(number)
    before = np.maximum.accumulate(np.where(linked, index, -1), axis=1)
    behind = np.minimum.accumulate(np.where(linked, index, number)[:, ::-1], axis=1)[:, ::-1]
    nearest: IntArray = np.where(before >= 0, before, behind) % max(number, 1)
    return nearest
