"""Blocks that see a window of blocks, those at either end, and some at random."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Pattern
from maskplug.attention.patterns.cross import refuse_cross
from maskplug.attention.patterns.draws import draws, own_lengths
from maskplug.attention.patterns.options import real_value
from maskplug.attention.site import AttentionCall
from maskplug.clock import Never
from maskplug.errors import OptionError
from maskplug.parts import Clock, Schedule
from maskplug.schedule import highest
from maskplug.types import IntArray, readonly
from maskplug.validation.options import BLOCKS, check_whole


@dataclass(frozen=True)
class BigBird(Pattern):
    """A query sees the blocks around its own, those at either end of its sample, and random ones.

    A sample's own tokens form blocks from its first on; the last may be shorter. The blocks at
    either end see everything. Random blocks are distinct and neither at an end nor in the window;
    there are fewer where fewer are left. Each layer of the model draws its own. Padding on a side
    counts as part of the nearest block as a query, and is never seen.

    Args:
        block: how many tokens form a block, from 1; or a schedule.
        window: how many blocks around it a block sees, itself included: an odd number; or a
            schedule, whose value is rounded to the nearest odd number, even ones upwards.
        global_blocks: how many blocks at either end see all and are seen by all, from 0; or a
            schedule.
        random: how many further blocks each block sees, from 0 to 256; or a schedule, which keeps
            those that it has as it grows.
        per_head: whether each head draws its own random blocks.
        clock: when they are drawn anew. "never" by default, as in the original, where random blocks
            are part of the architecture and the same in training and use; "step" makes them noise.

    Source: Zaheer et al., "Big Bird: transformers for longer sequences", 2020.

    Example:
        >>> BigBird(block=1, window=1, random=0).dense(4)[0, 0].astype(int)
        array([[1, 1, 1, 1], [1, 1, 0, 1], [1, 0, 1, 1], [1, 1, 1, 1]])
    """

    block: Schedule | int = 64
    window: Schedule | int = 3
    global_blocks: Schedule | int = 1
    random: Schedule | int = 3
    per_head: bool = True
    clock: Clock = field(default=Never())

    def __post_init__(self) -> None:
        """Refuse numbers out of range, and windows without a middle."""
        check_whole("block", self.block, least=1)
        check_whole("window", self.window, least=1)
        check_whole("global_blocks", self.global_blocks, least=0)
        check_whole("random", self.random, 0, BLOCKS)
        if not isinstance(self.window, Schedule) and self.window % 2 == 0:
            raise OptionError(
                f"option 'window' is {self.window}; it counts the block itself and as many on "
                "either side, so that it must be odd"
            )

    def rows(self, site: AttentionCall) -> Intervals:
        refuse_cross(site, "bigbird", "queries do not stand in the blocks of the keys")
        size, ends, around = self._sizes(site)
        length = site.lengths[:, None, None]
        blocks = -(-length // size)
        own = np.clip(site.q // size, 0, blocks - 1)
        everything = (own < ends) | (own >= blocks - ends)
        first = np.where(everything, 0, own - around)
        last = np.where(everything, blocks, own + around + 1)
        seen: list[tuple[Any, Any]] = [(first, last), (0, ends), (blocks - ends, blocks)]
        further = self._further(site)[
            np.arange(site.batch)[:, None, None], np.arange(self._heads(site))[:, None], own
        ]
        seen += [(further[..., i], further[..., i] + 1) for i in range(further.shape[-1])]
        return site.intervals(
            *((np.clip(a * size, 0, length), np.clip(b * size, 0, length)) for a, b in seen)
        )

    def _heads(self, site: AttentionCall) -> int:
        return site.heads if self.per_head else 1

    def _sizes(self, site: AttentionCall) -> tuple[IntArray, IntArray, IntArray]:
        """Tokens a block, blocks at either end, and blocks on either side, by sample."""
        # Half of the window's own value: to round that first would not give the nearest odd one.
        around = np.floor(real_value(site, self.window) / 2).astype(np.int64)
        return site.value(self.block), site.value(self.global_blocks), around

    def _further(self, site: AttentionCall) -> IntArray:
        """Random blocks: int64 of shape (batch, heads, blocks, most), -1 where there is none."""
        from maskplug.kernels.random_blocks import random_blocks

        rng = draws(site, self.clock, per_layer=True)
        streams = rng.stream_keys("random blocks")
        size, ends, around, wanted = (
            readonly(np.broadcast_to(values[:, 0, 0], site.batch), np.int64)
            for values in (*self._sizes(site), site.value(self.random))
        )
        blocks = readonly(-(-own_lengths(site) // size), np.int64)
        most = int(highest(self.random) + 0.5)
        drawn = [
            random_blocks(streams, head, blocks, wanted, most, around, ends)
            for head in range(self._heads(site))
        ]
        return np.stack(drawn, 1)
