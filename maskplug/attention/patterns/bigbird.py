"""BigBird: a window of blocks, global blocks, and random blocks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from maskplug.attention.call import AttentionCall
from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Pattern
from maskplug.attention.patterns.draws import draws, sample_lengths
from maskplug.clock import Never
from maskplug.errors import OptionError
from maskplug.parts import Clock, Schedule
from maskplug.schedule import highest
from maskplug.types import IntArray, readonly
from maskplug.validation.options import BLOCKS, check_whole


@dataclass(frozen=True)
class BigBird(Pattern):
    """A query attends to blocks around its own, global blocks at both ends, and random blocks.

    Blocks start at a sample's first real token; the last block may be shorter. Global blocks attend
    to everything. Random blocks are distinct, and neither global nor in the window; there are fewer
    if not enough blocks remain. Each network layer draws its own. Padding belongs to the nearest
    block as a query, and is never visible as a key.

    Args:
        block: number of tokens per block, from 1; or a schedule.
        window: number of blocks in the window, the query's own included: odd; or a schedule, whose
            value is rounded to the nearest odd number, even values upwards.
        global_blocks: number of global blocks at each end, from 0; or a schedule.
        random: number of random blocks per block, from 0 to 256; or a schedule, which keeps earlier
            blocks while it grows.
        per_head: whether each head draws its own random blocks.
        clock: when random blocks are redrawn. "never" by default, as in the original, where they
            are part of the architecture; with "step" they are a kind of noise.

    Source: Zaheer et al., "Big Bird: transformers for longer sequences", 2020.

    Example:
        >>> BigBird(block=1, window=1, random=0).dense(4)[0, 0].astype(int)
        array([[1, 1, 1, 1], [1, 1, 0, 1], [1, 0, 1, 1], [1, 1, 1, 1]])
    """

    reads_layer_idx = True

    block: Schedule | int = 64
    window: Schedule | int = 3
    global_blocks: Schedule | int = 1
    random: Schedule | int = 3
    per_head: bool = True
    clock: Clock = field(default=Never())

    def __post_init__(self) -> None:
        check_whole("block", self.block, least=1)
        check_whole("window", self.window, least=1)
        check_whole("global_blocks", self.global_blocks, least=0)
        check_whole("random", self.random, 0, BLOCKS)
        if not isinstance(self.window, Schedule) and self.window % 2 == 0:
            raise OptionError(
                f"option 'window' is {self.window}; it must be odd: it counts the query's block "
                "and the same number of blocks on each side"
            )

    def rows(self, call: AttentionCall) -> Intervals:
        call.refuse_cross("bigbird", "queries are not in the blocks of the keys")
        size, ends, around = self._sizes(call)
        length = call.lengths[:, None, None]
        blocks = -(-length // size)
        q_block = np.clip(call.q // size, 0, blocks - 1)
        is_global = (q_block < ends) | (q_block >= blocks - ends)
        first = np.where(is_global, 0, q_block - around)
        last = np.where(is_global, blocks, q_block + around + 1)
        visible: list[tuple[Any, Any]] = [(first, last), (0, ends), (blocks - ends, blocks)]
        random = self._random_blocks(call)[
            np.arange(call.batch)[:, None, None], np.arange(self._heads(call))[:, None], q_block
        ]
        visible += [(random[..., i], random[..., i] + 1) for i in range(random.shape[-1])]
        return call.intervals(
            *((np.clip(a * size, 0, length), np.clip(b * size, 0, length)) for a, b in visible)
        )

    def _heads(self, call: AttentionCall) -> int:
        return call.heads if self.per_head else 1

    def _sizes(self, call: AttentionCall) -> tuple[IntArray, IntArray, IntArray]:
        """Return tokens per block, global blocks, and blocks on each side in the window."""
        # Rounding the window before halving would not give the nearest odd number.
        around = np.floor(call.real_value(self.window) / 2).astype(np.int64)
        return call.value(self.block), call.value(self.global_blocks), around

    def _random_blocks(self, call: AttentionCall) -> IntArray:
        """Return random blocks: int64 of shape (batch, heads, blocks, most), -1 = none."""
        from maskplug.kernels.blocks import random_blocks

        rng = draws(call, self.clock, per_layer=True)
        streams = rng.stream_keys("random blocks")
        size, ends, around, wanted = (
            readonly(np.broadcast_to(values[:, 0, 0], call.batch), np.int64)
            for values in (*self._sizes(call), call.value(self.random))
        )
        blocks = readonly(-(-sample_lengths(call) // size), np.int64)
        most = int(highest(self.random) + 0.5)
        drawn = [
            random_blocks(streams, head, blocks, wanted, most, around, ends)
            for head in range(self._heads(call))
        ]
        return np.stack(drawn, 1)
