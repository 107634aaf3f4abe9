"""Noisy blocks that see the clean text before them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Pattern
from maskplug.attention.patterns.cross import refuse_cross
from maskplug.attention.site import AttentionCall
from maskplug.errors import TokenError
from maskplug.parts import Schedule
from maskplug.validation.options import check_whole


@dataclass(frozen=True)
class BlockDiffusion(Pattern):
    """A noisy block sees itself and the clean blocks before it; a clean one no noise at all.

    Each sample holds a text twice, noisy and then clean, in two halves of one length; both are cut
    into blocks. So one pass trains all blocks, each as if the text before it had been generated.
    Clean blocks see themselves and the clean blocks before. Self-attention only.

    Args:
        block: how many tokens a block has, from 1; the last one of each half may have fewer. With
            one token it is an autoregressive model, with the whole half one of full diffusion.

    Source: Arriola et al., "Block diffusion: interpolating between autoregressive and diffusion
    language models" (BD3-LM), 2025.

    Example:
        >>> BlockDiffusion(block=1).dense(4)[0, 0].astype(int)
        array([[1, 0, 0, 0], [0, 1, 1, 0], [0, 0, 1, 0], [0, 0, 1, 1]])
    """

    block: Schedule | int

    def __post_init__(self) -> None:
        """Refuse blocks of nothing."""
        check_whole("block", self.block, least=1)

    def rows(self, site: AttentionCall) -> Intervals:
        refuse_cross(site, "block_diffusion", "there are no two halves of one text")
        half, odd = np.divmod(site.lengths[:, None, None], 2)
        if (wrong := np.flatnonzero(odd)).size:
            raise TokenError(
                f"pattern 'block_diffusion' reads a noisy text and the clean one behind it, of one "
                f"length; {site.called(wrong[0])} has {site.lengths[wrong[0]]} tokens, an odd "
                "number"
            )
        block = site.value(self.block)
        clean = site.q >= half
        first = (site.q - np.where(clean, half, 0)) // block * block
        # A clean query's own block ends what it sees; a noisy one's is in the other half.
        before = np.minimum(first + np.where(clean, block, 0), half)
        noisy = np.where(clean, first, np.minimum(first + block, half))
        return site.intervals((first, noisy), (half, half + before))
