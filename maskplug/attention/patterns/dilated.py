"""A dilated sliding window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from operator import or_

import numpy as np

from maskplug.attention.call import AttentionCall
from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Pattern
from maskplug.parts import Schedule
from maskplug.validation.options import check_whole


@dataclass(frozen=True)
class Dilated(Pattern):
    """A query attends to itself, and to every ``dilation``-th key on either side of it.

    As in Longformer, ``left`` and ``right`` are numbers of visible keys; the farthest one is
    ``left * dilation`` positions away. ``Dilated.attention_gym`` takes the distance instead.

    Args:
        left: number of visible keys before the query, from 0; null for all; or a schedule.
        right: number of visible keys after the query, likewise.
        dilation: distance between visible keys, from 1 (a plain window); or a schedule.

    Source: Beltagy et al., "Longformer", 2020.

    Example:
        >>> Dilated(left=1, right=1, dilation=2).dense(4)[0, 0].astype(int)
        array([[1, 0, 1, 0], [0, 1, 0, 1], [1, 0, 1, 0], [0, 1, 0, 1]])
    """

    left: Schedule | int | None
    right: Schedule | int | None = 0
    dilation: Schedule | int = 2

    def __post_init__(self) -> None:
        check_whole("left", self.left, least=0)
        check_whole("right", self.right, least=0)
        check_whole("dilation", self.dilation, least=1)

    @classmethod
    def attention_gym(cls, window_size: int, dilation: int) -> Dilated:
        """Return the window of attention-gym's ``generate_dilated_sliding_window``.

        Args:
            window_size: distance of the farthest key, on either side.
            dilation: ``|q - k| <= window_size`` and ``|q - k| % dilation == 0``.

        Example:
            >>> Dilated.attention_gym(window_size=5, dilation=2)
            Dilated(left=2, right=2, dilation=2)
        """
        check_whole("window_size", window_size, least=0)
        check_whole("dilation", dilation, least=1)
        each = window_size // dilation
        return cls(left=each, right=each, dilation=dilation)

    def rows(self, call: AttentionCall) -> Intervals:
        return by_value(call, self.dilation, lambda dilation: self._stepped(call, dilation))

    def _stepped(self, call: AttentionCall, step: int) -> Intervals:
        q = call.q
        first = -call.kv_len if self.left is None else q - call.value(self.left) * step
        last = call.kv_len if self.right is None else q + call.value(self.right) * step
        # Phases are positions in the padded row, not among the sample's own tokens.
        return call.intervals((first, last + 1)).every(step, q + call.starts[:, None, None])


def by_value(
    call: AttentionCall, option: Schedule | int, make: Callable[[int], Intervals]
) -> Intervals:
    """Return intervals that depend on an integer option, which may differ between samples.

    If it does (a schedule, at different progress), ``make`` is called once per value, for the
    intervals of all samples.
    """
    values = call.value(option)
    if len(values) == 1:
        return make(int(values[0, 0, 0]))
    every = np.ones(call.kv_len, np.bool_)
    each = (make(int(value)).only((values == value) & every) for value in np.unique(values))
    return reduce(or_, each, call.intervals((0, 0 * values)))
