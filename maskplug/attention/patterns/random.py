"""Keys that drop out at random."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Pattern
from maskplug.attention.patterns.basic import Full
from maskplug.attention.patterns.draws import draws, own_lengths, placed
from maskplug.attention.site import AttentionCall
from maskplug.clock import Step
from maskplug.parts import Clock, Schedule
from maskplug.schedule import check_rate
from maskplug.types import offsets_of, readonly, thresholds


@dataclass(frozen=True)
class Random(Pattern):
    """Every query sees all keys but some, which are drawn by the sample's key.

    Each token is hidden on its own, from all queries alike, and never all of a sample's: the one
    with the highest draw stays. At one t, what a lower rate hides a higher one hides, too, so that
    with ``clock=never`` a rising rate hides more and more. Draws are numbered by a token's place in
    its sample, so that neither padding nor what comes behind moves them; in cross attention the
    same source tokens are hidden as in the encoder.

    Args:
        rate: how likely a key is hidden, from 0 to 1, or a schedule.
        per_head: whether each head draws for itself.
        per_layer: whether each of the model's layers draws for itself.
        clock: when keys are drawn anew.

    Source: Lin et al., "DropAttention: a regularization method for fully-connected self-attention
    networks", 2019, in the form that drops columns.

    Example:
        >>> Random(rate=0.5).dense(2, 4, t=1, keys=[7], place="cross")[0, 0].astype(int)
        array([[0, 1, 1, 0], [0, 1, 1, 0]])
    """

    rate: Schedule | float = 0.1
    per_head: bool = False
    per_layer: bool = False
    clock: Clock = field(default=Step())

    def __post_init__(self) -> None:
        """Refuse rates out of range."""
        check_rate("rate", self.rate)

    def rows(self, site: AttentionCall) -> Intervals:
        from maskplug.kernels.select import independent

        rng = draws(site, self.clock, self.per_layer)
        streams = rng.stream_keys("hidden keys")
        offsets = readonly(offsets_of(own_lengths(site)), np.int64)
        limits = thresholds(site.share(self.rate))
        heads = range(site.heads if self.per_head else 1)
        hidden = (independent(streams, offsets, limits, False, True, head) for head in heads)
        seen = [placed(site, ~keys, absent=True) for keys in hidden]
        return Full().rows(site).only(np.stack(seen, 1))
