"""UniLM: source and target in one sequence, with one of four masks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from maskplug.attention.call import AttentionCall
from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Pattern
from maskplug.attention.patterns.draws import draws
from maskplug.attention.patterns.options import clock_of
from maskplug.errors import OptionError, TokenError, shortened
from maskplug.parts import Clock
from maskplug.types import IntArray, thresholds
from maskplug.validation.options import are_weights, check_list

Mode = Literal["seq2seq", "left_to_right", "right_to_left", "bidirectional", "mixture"]
#: The modes of a mixture, in the order of ``shares``.
MODES = ("bidirectional", "seq2seq", "left_to_right", "right_to_left")
BIDIRECTIONAL, SEQ2SEQ, LEFT_TO_RIGHT, RIGHT_TO_LEFT = range(4)


@dataclass(frozen=True)
class UniLM(Pattern):
    """A mask of UniLM, for a source and a target in one sequence.

    - ``seq2seq``: the source attends to the source; the target attends to the source, to itself,
      and to earlier tokens of the target.
    - ``left_to_right``: a query attends to itself and to all tokens before it.
    - ``right_to_left``: a query attends to itself and to all tokens after it.
    - ``bidirectional``: every query attends to every key.
    - ``mixture``: each sample has one of these four modes, drawn at random.

    Args:
        mode: one of the five.
        shares: relative frequencies of bidirectional, seq2seq, left_to_right and right_to_left in a
            ``mixture``; by default 1/3, 1/3, 1/6 and 1/6 as in the paper.
        clock: when a ``mixture`` is redrawn, "step" if null; only for ``mixture``.

    The modes seq2seq and mixture need the annotation ``segments``: one value per key, 0 for the
    source and 1 for the target.

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
        check_list("shares", self.shares)
        if len(self.shares) != len(MODES) or not are_weights(self.shares):
            raise OptionError(
                f"option 'shares' is {shortened(list(self.shares))}; it must be four finite "
                f"numbers, not negative and not all zero, for {', '.join(MODES)}"
            )
        reason = f"mode {self.mode!r} is not random; only 'mixture' has a clock"
        object.__setattr__(self, "clock", clock_of(self.clock, self.mode == "mixture", reason))

    @property
    def required_annotations(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("segments",) if self.mode in ("seq2seq", "mixture") else ()

    def rows(self, call: AttentionCall) -> Intervals:
        call.refuse_cross("unilm", "source and target are not one sequence")
        modes, q, start = self._modes(call), call.q, -call.starts[:, None, None]
        seq2seq, backward = modes == SEQ2SEQ, modes == RIGHT_TO_LEFT
        if not self.required_annotations:
            last = np.where(modes == LEFT_TO_RIGHT, q + 1, call.kv_len)
            return call.intervals((np.where(backward, q, start), last))
        segments = self._segments(call)
        target = segments[:, None, call.q_slice] == 1
        forward = (modes == LEFT_TO_RIGHT) | (seq2seq & target)
        last = np.where(forward, q + 1, np.where(seq2seq, start, call.kv_len))
        rows = call.intervals((np.where(backward, q, start), last))
        return rows | Intervals.of_mask(seq2seq[..., None] & (segments == 0)[:, None, None])

    def _modes(self, call: AttentionCall) -> IntArray:
        """Return each sample's index in ``MODES``: int64 of shape (batch or 1, 1, 1)."""
        if self.clock is None:
            return np.full((1, 1, 1), MODES.index(self.mode))
        rng = draws(call, self.clock)
        words = rng.bits("attention mode", np.ones(call.batch, np.int64)).astype(np.uint64)
        limits = thresholds(np.cumsum(self.shares) / np.sum(self.shares))
        limits[np.flatnonzero(self.shares)[-1] :] = 1 << 32
        return np.searchsorted(limits, words, side="right").astype(np.int64)[:, None, None]

    def _segments(self, call: AttentionCall) -> IntArray:
        segments = call.per_token("segments", "unilm")
        wrong = call.valid & (segments != 0) & (segments != 1)
        if wrong.any():
            sample, key = (int(axis[0]) for axis in np.nonzero(wrong))
            value = np.broadcast_to(segments, wrong.shape)[sample, key]
            raise TokenError(
                f"annotation 'segments' is {value} at key {key} of {call.name_of(sample)}; it "
                "must be 0 (source) or 1 (target)"
            )
        return segments
