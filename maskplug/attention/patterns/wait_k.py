"""Simultaneous translation that stays k tokens behind the speaker."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.arrays import IntArray, below
from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Pattern
from maskplug.attention.patterns.cross import only_cross
from maskplug.attention.patterns.options import check_whole
from maskplug.attention.site import Site
from maskplug.clock import Step
from maskplug.errors import OptionError
from maskplug.parts import Clock, Schedule


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
            translate at every delay.
        catchup: of q + 1 target tokens, ``catchup * (q + 1)`` (rounded towards zero) wait for no
            new source token, so that the lag does not grow where targets are longer than their
            sources: the paper's c, below 1. Where it is negative, so many more are read.
        clock: when k is drawn anew, "step" if null; only with ``most`` there is one.

    Source: Ma et al., "STACL: Simultaneous translation with implicit anticipation and controllable
    latency using prefix-to-prefix framework", 2019; Elbayad et al., "Efficient wait-k models for
    simultaneous machine translation", 2020, for ``most``.

    Example:
        >>> WaitK(2).dense(4, 3, place="cross")[0, 0].astype(int)
        array([[1, 1, 0], [1, 1, 1], [1, 1, 1], [1, 1, 1]])
    """

    k: Schedule | int
    most: int | None = None
    catchup: float = 0.0
    clock: Clock | None = None

    def __post_init__(self) -> None:
        """Refuse delays below 1, contradictions, and a clock that nothing would follow."""
        check_whole("k", self.k, least=1)
        highest = self.k.bounds[1] if isinstance(self.k, Schedule) else self.k
        if self.most is not None and self.most < highest:
            raise OptionError(
                f"option 'most' is {self.most}; k is drawn from {self.k!r} to it, so that it must "
                f"be {highest:g} or more"
            )
        if not -np.inf < self.catchup < 1:
            raise OptionError(
                f"option 'catchup' is {self.catchup!r}; it must be a finite number below 1"
            )
        if self.most is None and self.clock is not None:
            raise OptionError(
                f"option 'clock' is {self.clock!r}, and without 'most' nothing is drawn"
            )
        if self.most is not None and self.clock is None:
            object.__setattr__(self, "clock", Step())

    def rows(self, site: Site) -> Intervals:
        only_cross(site, "wait_k")
        q = np.maximum(site.q, 0)
        caught = np.trunc(self.catchup * (q + 1)).astype(np.int64)
        read = self._delays(site) + q - caught
        return site.intervals((np.zeros_like(q), np.minimum(read, site.lengths[:, None, None])))

    def _delays(self, site: Site) -> IntArray:
        """K of each sample: int64 of shape (batch or 1, 1, 1)."""
        least = site.value(self.k)
        if self.most is None or self.clock is None:
            return least
        rng = site.rng(self.clock)
        words = rng.bits("wait", np.ones(site.batch, np.int64))
        choices = np.broadcast_to(self.most - least[:, 0, 0] + 1, site.batch)
        return least + below(words, choices)[:, None, None]
