"""Wait-k masks for simultaneous translation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.attention.call import AttentionCall
from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Pattern
from maskplug.attention.patterns.options import clock_of, in_order
from maskplug.errors import OptionError, shortened
from maskplug.parts import Clock, Schedule
from maskplug.types import IntArray, below
from maskplug.validation.options import COUNT, bounds, check_whole, is_finite


@dataclass(frozen=True)
class WaitK(Pattern):
    """A target token attends to ``k`` source tokens, plus one for each target token before it.

    Target token q, from 0, attends to the source tokens [0, min(k + q, S)), where S is the length
    of the sample's source. Padding before the first target token has the same mask as that token.
    For cross attention; simultaneous translation also needs a causal encoder.

    Args:
        k: number of source tokens read before the first target token, from 1; or a schedule.
        most: if given, each sample's k is drawn uniformly from ``k`` to ``most``, so that one model
            learns all delays; or a schedule. Where it is below k, k is used.
        catchup: the paper's c, below 1, for targets longer than their sources: target token q
            attends to ``catchup * (q + 1)`` fewer source tokens (rounded towards zero), more if it
            is negative; or a schedule.
        clock: when k is redrawn, "step" if null; only with ``most``.

    Source: Ma et al., "STACL: Simultaneous translation with implicit anticipation and controllable
    latency using prefix-to-prefix framework", 2019; Elbayad et al., "Efficient wait-k models for
    simultaneous machine translation", 2020, for ``most``.

    Example:
        >>> WaitK(2).dense(4, 3, attention_kind="cross")[0, 0].astype(int)
        array([[1, 1, 0], [1, 1, 1], [1, 1, 1], [1, 1, 1]])
    """

    k: Schedule | int
    most: Schedule | int | None = None
    catchup: Schedule | float = 0.0
    clock: Clock | None = None

    def __post_init__(self) -> None:
        check_whole("k", self.k, least=1)
        check_whole("most", self.most, least=1)
        if self.most is not None and not in_order(self.k, self.most):
            low, high = bounds(self.k)
            raise OptionError(
                f"option 'most' is {self.most!r}, but k is {self.k!r}; 'most' must be {high:g} or "
                f"more, or a schedule with a minimum of at least {low:g} and a maximum of at least "
                f"{high:g}"
            )
        least, most = bounds(self.catchup)
        if not (is_finite(least) and is_finite(most) and -COUNT <= least <= most < 1):
            raise OptionError(
                f"option 'catchup' is {shortened(self.catchup)}; it must be a number, or a "
                f"schedule with values, from -{COUNT:,} to below 1"
            )
        reason = "without 'most' nothing is random"
        object.__setattr__(self, "clock", clock_of(self.clock, self.most is not None, reason))

    def rows(self, call: AttentionCall) -> Intervals:
        call.require_cross("wait_k")
        q = np.maximum(call.q, 0)
        skipped = np.trunc(call.real_value(self.catchup) * (q + 1)).astype(np.int64)
        read = self._delays(call) + q - skipped
        return call.intervals((np.zeros_like(q), np.minimum(read, call.lengths[:, None, None])))

    def _delays(self, call: AttentionCall) -> IntArray:
        """Return each sample's k: int64 of shape (batch or 1, 1, 1)."""
        least = call.value(self.k)
        if self.most is None or self.clock is None:
            return least
        rng = call.rng(self.clock)
        words = rng.bits("wait", np.ones(call.batch, np.int64))
        most = np.maximum(call.value(self.most), least)
        choices = np.broadcast_to((most - least)[:, 0, 0] + 1, call.batch)
        return least + below(words, choices)[:, None, None]
