"""Block diffusion: noisy blocks attend to the clean blocks before them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.attention.call import AttentionCall
from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Pattern
from maskplug.errors import TokenError
from maskplug.parts import Schedule
from maskplug.validation.options import check_whole


@dataclass(frozen=True)
class BlockDiffusion(Pattern):
    """A noisy block attends to itself and to the clean blocks before it.

    Each sample contains a text twice, noisy and then clean, in two halves of the same length, both
    cut into blocks. One forward pass trains all blocks, each as if the text before it had been
    generated. Clean blocks attend to themselves and to the clean blocks before them.
    Self-attention only.

    Args:
        block: number of tokens per block, from 1; the last block of each half may be shorter. A
            block of one token gives an autoregressive model, one of the whole half full diffusion.

    Source: Arriola et al., "Block diffusion: interpolating between autoregressive and diffusion
    language models" (BD3-LM), 2025.

    Example:
        >>> BlockDiffusion(block=1).dense(4)[0, 0].astype(int)
        array([[1, 0, 0, 0], [0, 1, 1, 0], [0, 0, 1, 0], [0, 0, 1, 1]])
    """

    block: Schedule | int

    def __post_init__(self) -> None:
        check_whole("block", self.block, least=1)

    def rows(self, call: AttentionCall) -> Intervals:
        call.refuse_cross("block_diffusion", "there are no two halves of one text")
        half, odd = np.divmod(call.lengths[:, None, None], 2)
        if (wrong := np.flatnonzero(odd)).size:
            raise TokenError(
                f"{call.name_of(wrong[0])} has {call.lengths[wrong[0]]} tokens, an odd number; "
                "pattern 'block_diffusion' needs a noisy text followed by its clean text of the "
                "same length"
            )
        block = call.value(self.block)
        clean = call.q >= half
        first = (call.q - np.where(clean, half, 0)) // block * block
        # The keys of a clean query end with its own block; a noisy query's block is noisy.
        before = np.minimum(first + np.where(clean, block, 0), half)
        noisy = np.where(clean, first, np.minimum(first + block, half))
        return call.intervals((first, noisy), (half, half + before))
