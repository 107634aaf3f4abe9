"""Cross attention to the source tokens that have been read so far."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.attention.call import AttentionCall
from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Pattern
from maskplug.errors import TokenError
from maskplug.parts import Schedule
from maskplug.validation.options import check_whole


@dataclass(frozen=True)
class Monotonic(Pattern):
    """A target token attends to the source tokens that have been read when it is written.

    For cross attention, with any read/write policy. Tokens that were read stay visible: the number
    is the maximum up to this token, and at least 1. Padding is ignored.

    Needs the annotation ``sources_read``, of shape (batch, q_len): for each target token, the
    number of source tokens that have been read, from 0 to the length of the sample's source.

    Args:
        lookback: number of visible tokens, the last ones read, from 1; null for all; or a schedule.

    Source: Raffel et al., "Online and linear-time attention by enforcing monotonic alignments",
    2017; Chiu and Raffel, "Monotonic chunkwise attention", 2018, for ``lookback``.

    Example:
        >>> mask = Monotonic().dense(3, 4, attention_kind="cross", sources_read=[[1, 3, 2]])
        >>> mask[0, 0].astype(int)
        array([[1, 0, 0, 0], [1, 1, 1, 0], [1, 1, 1, 0]])
    """

    required_annotations = ("sources_read",)

    lookback: Schedule | int | None = None

    def __post_init__(self) -> None:
        check_whole("lookback", self.lookback, least=1)

    def rows(self, call: AttentionCall) -> Intervals:
        call.require_cross("monotonic")
        read = call.per_token("sources_read", "monotonic", call.q_end)
        real, most = call.valid_to_q_end, call.lengths[:, None]
        wrong = real & ((read < 0) | (read > most))
        if wrong.any():
            sample, query = (int(axis[0]) for axis in np.nonzero(wrong))
            read, most, starts = (
                np.broadcast_to(side, (len(wrong), side.shape[1]))
                for side in (read, most, call.query_starts[:, None] + call.offset)
            )
            raise TokenError(
                f"{call.name_of(sample)}: annotation 'sources_read' is {read[sample, query]} at "
                f"target token {query - starts[sample, 0]}; it must be from 0 to "
                f"{most[sample, 0]}, the length of the source"
            )
        so_far = np.maximum.accumulate(np.where(real, read, 0), axis=1)
        end = np.minimum(np.maximum(so_far, 1), most)[:, None, call.offset :]
        begin = 0 * end if self.lookback is None else end - call.value(self.lookback)
        return call.intervals((np.maximum(begin, 0), end))
