"""Source and target in one sequence: four ways to read it, or one drawn for each sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Pattern
from maskplug.attention.patterns.cross import refuse_cross
from maskplug.attention.patterns.draws import clock_of, draws
from maskplug.attention.site import AttentionCall
from maskplug.errors import OptionError, TokenError, shortened
from maskplug.parts import Clock
from maskplug.types import IntArray, thresholds
from maskplug.validation.options import are_weights, check_list

Mode = Literal["seq2seq", "left_to_right", "right_to_left", "bidirectional", "mixture"]
#: What a mixture draws from, in the order of its shares.
MODES = ("bidirectional", "seq2seq", "left_to_right", "right_to_left")
BIDIRECTIONAL, SEQ2SEQ, LEFT_TO_RIGHT, RIGHT_TO_LEFT = range(4)


@dataclass(frozen=True)
class UniLM(Pattern):
    """A query sees all of the source, and of the target what came before; or as its mode says.

    - ``seq2seq``: the source sees the source; the target sees the source, itself and what came
      before it in the target.
    - ``left_to_right``: a query sees itself and what came before.
    - ``right_to_left``: a query sees itself and what comes behind.
    - ``bidirectional``: every query sees every key.
    - ``mixture``: each sample has one of these four modes, drawn by its key.

    Args:
        mode: one of the five.
        shares: how often ``mixture`` draws bidirectional, seq2seq, left_to_right and right_to_left,
            relative to each other. The paper's are a third, a third, a sixth and a sixth.
        clock: when ``mixture`` draws anew, "step" if null; only ``mixture`` has one.

    Reads the layer ``segments`` for seq2seq and for a mixture: one value a key, 0 for the source
    and 1 for the target.

    Source: Dong et al., "Unified language model pre-training for natural language understanding and
    generation", 2019.

    Example:
        >>> UniLM().dense(4, segments=[0, 0, 1, 1])[0, 0].astype(int)
        array([[1, 1, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1]])
    """

    mode: Mode = "seq2seq"
    shares: tuple[float, ...] = (2.0, 2.0, 1.0, 1.0)
    clock: Clock | None = None

    def __post_init__(self) -> None:
        """Refuse shares that are none, and a clock that nothing would follow."""
        check_list("shares", self.shares)
        if len(self.shares) != len(MODES) or not are_weights(self.shares):
            raise OptionError(
                f"option 'shares' is {shortened(list(self.shares))}; it must be four finite "
                f"numbers, not negative and not all zero, for {', '.join(MODES)}"
            )
        otherwise = f"mode {self.mode!r} draws nothing; only 'mixture' has a clock"
        object.__setattr__(self, "clock", clock_of(self.clock, self.mode == "mixture", otherwise))

    @property
    def required_annotations(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("segments",) if self.mode in ("seq2seq", "mixture") else ()

    def rows(self, site: AttentionCall) -> Intervals:
        refuse_cross(site, "unilm", "source and target are not one sequence")
        modes, q, start = self._modes(site), site.q, -site.starts[:, None, None]
        seq2seq, backward = modes == SEQ2SEQ, modes == RIGHT_TO_LEFT
        if not self.required_annotations:
            last = np.where(modes == LEFT_TO_RIGHT, q + 1, site.kv_len)
            return site.intervals((np.where(backward, q, start), last))
        segments = self._segments(site)
        target = segments[:, None, site.here] == 1
        forward = (modes == LEFT_TO_RIGHT) | (seq2seq & target)
        last = np.where(forward, q + 1, np.where(seq2seq, start, site.kv_len))
        rows = site.intervals((np.where(backward, q, start), last))
        return rows | Intervals.of_mask(seq2seq[..., None] & (segments == 0)[:, None, None])

    def _modes(self, site: AttentionCall) -> IntArray:
        """The number of each sample's mode among ``MODES``: int64 of shape (batch or 1, 1, 1)."""
        if self.clock is None:
            return np.full((1, 1, 1), MODES.index(self.mode))
        rng = draws(site, self.clock)
        words = rng.bits("attention mode", np.ones(site.batch, np.int64)).astype(np.uint64)
        limits = thresholds(np.cumsum(self.shares) / np.sum(self.shares))
        limits[np.flatnonzero(self.shares)[-1] :] = 1 << 32
        return np.searchsorted(limits, words, side="right").astype(np.int64)[:, None, None]

    def _segments(self, site: AttentionCall) -> IntArray:
        segments = site.per_token("segments", "unilm")
        wrong = site.valid & (segments != 0) & (segments != 1)
        if wrong.any():
            sample, key = (int(axis[0]) for axis in np.nonzero(wrong))
            value = np.broadcast_to(segments, wrong.shape)[sample, key]
            raise TokenError(
                f"the layer 'segments' is {value} at key {key} of {site.called(sample)}; it "
                "must be 0 (source) or 1 (target)"
            )
        return segments
