"""Noise for block diffusion: a mask rate for each block of a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from maskplug.errors import OptionError, shortened
from maskplug.parts import added_later
from maskplug.rng import Rng
from maskplug.selectors.noise import Noise
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import FloatArray, IntArray, offsets_of, readonly, thresholds
from maskplug.validation.options import check_whole, is_finite
from maskplug.vocabulary import Vocabulary


@added_later("mask_special")
@dataclass(frozen=True)
class BlockNoise(Noise):
    """Select each token of a block with the block's own probability t; its weight is 1 / t.

    A row is cut into blocks of ``block`` maskable tokens; the last one may be shorter. The
    annotation ``block`` of the result (int64) numbers them from 0, non-decreasing along a row; a
    token that cannot be masked belongs to the block of the maskable token before it, and to -1
    before the first one. t is uniform from ``low`` to ``high``. A block may have no masked token:
    forcing one would bias the estimate of the likelihood.

    Args:
        block: number of maskable tokens per block, at least 1. With blocks of one token and ``low``
            = ``high`` = 1, every token is masked, which gives an autoregressive model.
        low, high: range of t, above 0 and at most 1; a narrower range reduces the variance of the
            gradients.
        antithetic: stratify t: of the m blocks of a row, one falls into each m-th part of the
            range, in random order. If False, the levels are independent.
        mask_special: also mask special tokens that are not protected; see :meth:`Noise.candidates`.

    Source: Arriola et al., "Block diffusion: interpolating between autoregressive and diffusion
    language models" (BD3-LM), 2025. Their code stratifies the levels over all blocks of a batch,
    which makes a mask depend on the batch; here they are stratified over the blocks of one row.
    """

    block: int = 4
    low: float = 1e-3
    high: float = 1.0
    antithetic: bool = True
    mask_special: bool = False

    def __post_init__(self) -> None:
        check_whole("block", self.block, 1)
        finite = is_finite(self.low) and is_finite(self.high)
        if not (finite and 0.0 < self.low <= self.high <= 1.0):
            raise OptionError(
                f"options 'low' and 'high' are {shortened(self.low)} and {shortened(self.high)}; "
                "they must be above 0 and at most 1, and 'low' not above 'high'"
            )

    def times(self, blocks: IntArray, rng: Rng) -> FloatArray:
        """Return the noise level t of every block: float64, from ``low`` to ``high``.

        Args:
            blocks: number of blocks of each row.
            rng: draws ``noise level`` and, with ``antithetic``, ``noise order``.
        """
        from maskplug.kernels.arrange import ranks

        share = rng.uniform("noise level", blocks)
        if self.antithetic:
            order = ranks(rng.stream_keys("noise order"), readonly(offsets_of(blocks), np.int64))
            share = (order + share) / np.repeat(blocks, blocks)
        return self.low + (self.high - self.low) * share

    def _blocks(self, candidates: Selection) -> IntArray:
        """Return the number of blocks of each row."""
        return np.asarray(-(-candidates.counts // self.block))

    def _numbers(self, candidates: Selection, offsets: IntArray) -> IntArray:
        """Return the block of every token."""
        from maskplug.kernels.segments import block_numbers

        numbers: IntArray = block_numbers(
            candidates.starts, candidates.offsets, offsets, self.block
        )
        return numbers

    def select(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> Selection:
        from maskplug.kernels.segments import independent_in_blocks

        candidates = self.candidates(tokens, vocab)
        blocks = self._blocks(candidates)
        chosen = independent_in_blocks(
            rng.stream_keys("independent"),
            candidates.offsets,
            thresholds(self.times(blocks, rng)),
            readonly(offsets_of(blocks), np.int64),
            self.block,
        )
        return candidates.take(chosen)

    def weights(self, tokens: TokenBatch, vocab: Vocabulary, rng: Rng) -> FloatArray:
        from maskplug.kernels.segments import levels

        candidates = self.candidates(tokens, vocab)
        blocks = self._blocks(candidates)
        numbers = self._numbers(candidates, tokens.offsets)
        # One division for each block, not for each token.
        weights: FloatArray = levels(
            readonly(numbers, np.int64),
            tokens.offsets,
            1.0 / self.times(blocks, rng),
            readonly(offsets_of(blocks), np.int64),
        )
        return weights

    def annotations(self, tokens: TokenBatch, vocab: Vocabulary) -> dict[str, np.ndarray[Any, Any]]:
        return {"block": self._numbers(self.candidates(tokens, vocab), tokens.offsets)}
