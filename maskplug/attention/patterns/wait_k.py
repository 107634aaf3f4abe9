"""Simultaneous translation that stays k tokens behind the speaker."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Pattern
from maskplug.attention.patterns.cross import only_cross
from maskplug.attention.patterns.draws import clock_of
from maskplug.attention.patterns.options import check_below, in_order, real_value
from maskplug.attention.site import AttentionCall
from maskplug.errors import OptionError
from maskplug.parts import Clock, Schedule
from maskplug.types import IntArray, below
from maskplug.validation.options import bounds, check_whole


@dataclass(frozen=True)
class WaitK(Pattern):
    """A target token sees ``k`` source tokens, and one more for each target token before it.

    Token q, counted from 0, sees the source tokens [0, min(k + q, S)), S being the length of the
    sample's own source: what has been read when it is written. Past the end of the source all of it
    is seen, never nothing. Padding before the first target token sees what that sees. For cross
    attention; a model that is to be used simultaneously also has a causal encoder.

    Args:
        k: how many source tokens are waited for, from 1; or a schedule.
        most: with it, each sample's k is drawn, evenly from ``k`` to ``most``: one model learns to
            translate at every delay. Or a schedule; where it falls below k, k is the delay.
        catchup: of q + 1 target tokens, ``catchup * (q + 1)`` (rounded towards zero) wait for no
            new source token, so that the lag does not grow where targets are longer than their
            sources: the paper's c, below 1; or a schedule. Where it is negative, so many more are
            read.
        clock: when k is drawn anew, "step" if null; only with ``most`` there is one.

    Source: Ma et al., "STACL: Simultaneous translation with implicit anticipation and controllable
    latency using prefix-to-prefix framework", 2019; Elbayad et al., "Efficient wait-k models for
    simultaneous machine translation", 2020, for ``most``.

    Example:
        >>> WaitK(2).dense(4, 3, place="cross")[0, 0].astype(int)
        array([[1, 1, 0], [1, 1, 1], [1, 1, 1], [1, 1, 1]])
    """

    k: Schedule | int
    most: Schedule | int | None = None
    catchup: Schedule | float = 0.0
    clock: Clock | None = None

    def __post_init__(self) -> None:
        """Refuse delays below 1, contradictions, and a clock that nothing would follow."""
        check_whole("k", self.k, least=1)
        check_whole("most", self.most, least=1)
        if self.most is not None and not in_order(self.k, self.most):
            low, high = bounds(self.k)
            raise OptionError(
                f"option 'most' is {self.most!r}; k is drawn from {self.k!r} to it, so that it "
                f"must be {high:g} or more, or a schedule whose least value is {low:g} or more and "
                f"whose greatest is {high:g} or more"
            )
        check_below("catchup", self.catchup, limit=1)
        otherwise = "without 'most' nothing is drawn"
        object.__setattr__(self, "clock", clock_of(self.clock, self.most is not None, otherwise))

    def rows(self, site: AttentionCall) -> Intervals:
        only_cross(site, "wait_k")
        q = np.maximum(site.q, 0)
        caught = np.trunc(real_value(site, self.catchup) * (q + 1)).astype(np.int64)
        read = self._delays(site) + q - caught
        return site.intervals((np.zeros_like(q), np.minimum(read, site.lengths[:, None, None])))

    def _delays(self, site: AttentionCall) -> IntArray:
        """K of each sample: int64 of shape (batch or 1, 1, 1)."""
        least = site.value(self.k)
        if self.most is None or self.clock is None:
            return least
        rng = site.rng(self.clock)
        words = rng.bits("wait", np.ones(site.batch, np.int64))
        most = np.maximum(site.value(self.most), least)
        choices = np.broadcast_to((most - least)[:, 0, 0] + 1, site.batch)
        return least + below(words, choices)[:, None, None]
