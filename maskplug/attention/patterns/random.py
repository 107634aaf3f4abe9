"""Random keys that are hidden from all queries."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from maskplug.attention.call import AttentionCall
from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Pattern
from maskplug.attention.patterns.basic import Full
from maskplug.attention.patterns.draws import draws, placed, sample_lengths
from maskplug.clock import Step
from maskplug.parts import Clock, Schedule
from maskplug.schedule import check_rate
from maskplug.types import offsets_of, readonly, thresholds


@dataclass(frozen=True)
class Random(Pattern):
    """Every query attends to all keys except some random ones.

    Each key is hidden independently, from all queries; at least one key of a sample stays visible,
    the one with the highest random number. At the same t, keys hidden at a lower rate are also
    hidden at a higher one, so that with ``clock=never`` a rising rate only hides more keys. Random
    numbers depend on a token's position in its sample, not on padding or later tokens; cross
    attention hides the same source tokens as the encoder.

    Args:
        rate: probability that a key is hidden, from 0 to 1; or a schedule.
        per_head: whether each head draws its own.
        per_layer: whether each network layer draws its own.
        clock: when keys are redrawn.

    Source: Lin et al., "DropAttention: a regularization method for fully-connected self-attention
    networks", 2019, the variant that drops columns.

    Example:
        >>> Random(rate=0.5).dense(2, 4, t=1, keys=[7], attention_kind="cross")[0, 0].astype(int)
        array([[0, 1, 1, 0], [0, 1, 1, 0]])
    """

    rate: Schedule | float = 0.1
    per_head: bool = False
    per_layer: bool = False
    clock: Clock = field(default=Step())

    def __post_init__(self) -> None:
        check_rate("rate", self.rate)

    @property
    def reads_layer_idx(self) -> bool:  # type: ignore[override]
        return self.per_layer

    def rows(self, call: AttentionCall) -> Intervals:
        from maskplug.kernels.select import independent

        rng = draws(call, self.clock, self.per_layer)
        streams = rng.stream_keys("hidden keys")
        offsets = readonly(offsets_of(sample_lengths(call)), np.int64)
        limits = thresholds(call.share(self.rate))
        heads = range(call.heads if self.per_head else 1)
        hidden = (independent(streams, offsets, limits, False, True, head) for head in heads)
        visible = [placed(call, ~keys, absent=True) for keys in hidden]
        return Full().rows(call).only(np.stack(visible, 1))
