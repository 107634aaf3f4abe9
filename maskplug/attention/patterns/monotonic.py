"""Target tokens that see what has been read when they are written."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Pattern
from maskplug.attention.patterns.cross import only_cross
from maskplug.attention.site import AttentionCall
from maskplug.errors import TokenError
from maskplug.parts import Schedule
from maskplug.validation.options import check_whole


@dataclass(frozen=True)
class Monotonic(Pattern):
    """A target token sees the source tokens that have been read when it is written.

    For cross attention, with any policy of reading and writing. What was read stays read: the
    number is the greatest up to this token, and at least 1. Padding counts for nothing.

    Reads the layer ``sources_read``: for each target token, of shape (batch, queries), how many
    source tokens have been read, from 0 to the length of the sample's own source.

    Args:
        lookback: how many of them are seen, the last ones, from 1; null for all. A schedule lets
            the chunk grow or shrink.

    Source: Raffel et al., "Online and linear-time attention by enforcing monotonic alignments",
    2017; Chiu and Raffel, "Monotonic chunkwise attention", 2018, for ``lookback``.

    Example:
        >>> seen = Monotonic().dense(3, 4, place="cross", sources_read=[[1, 3, 2]])
        >>> seen[0, 0].astype(int)
        array([[1, 0, 0, 0], [1, 1, 1, 0], [1, 1, 1, 0]])
    """

    required_annotations = ("sources_read",)

    lookback: Schedule | int | None = None

    def __post_init__(self) -> None:
        """Refuse a chunk without tokens."""
        check_whole("lookback", self.lookback, least=1)

    def rows(self, site: AttentionCall) -> Intervals:
        only_cross(site, "monotonic")
        read = site.per_token("sources_read", "monotonic", site.so_far)
        real, most = site.valid_so_far, site.lengths[:, None]
        wrong = real & ((read < 0) | (read > most))
        if wrong.any():
            sample, query = (int(axis[0]) for axis in np.nonzero(wrong))
            read, most, starts = (
                np.broadcast_to(side, (len(wrong), side.shape[1]))
                for side in (read, most, site.query_starts[:, None] + site.offset)
            )
            raise TokenError(
                f"{site.called(sample)}: the layer 'sources_read' is {read[sample, query]} at "
                f"target token {query - starts[sample, 0]}; it goes from 0 to {most[sample, 0]}, "
                "the length of the source"
            )
        so_far = np.maximum.accumulate(np.where(real, read, 0), axis=1)
        end = np.minimum(np.maximum(so_far, 1), most)[:, None, site.offset :]
        begin = 0 * end if self.lookback is None else end - site.value(self.lookback)
        return site.intervals((np.maximum(begin, 0), end))
