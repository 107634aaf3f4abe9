"""Tests of the selector ``block_noise``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from maskplug import Rng
from maskplug.selectors import BlockNoise
from support.batches import VOCAB, batch, equal_rows, fits, uniform

N = 12_000


def levels(selector: BlockNoise, samples: int, blocks: int) -> Any:
    """Return the levels of rows with this number of blocks: (samples, blocks)."""
    counts = np.full(samples, blocks)
    return selector.times(counts, Rng.at(11, 0, range(samples))).reshape(samples, blocks)


@pytest.mark.parametrize("blocks", [1, 2, 3, 7])
def test_antithetic_levels_are_stratified(blocks: int) -> None:
    share = (levels(BlockNoise(low=0.2, high=0.6), 500, blocks) - 0.2) / 0.4
    parts = np.sort(np.floor(share * blocks), axis=1)
    assert (parts == np.arange(blocks)).all()


def test_order_of_strata_is_uniform() -> None:
    share = (levels(BlockNoise(), N, 3) - 1e-3) / (1 - 1e-3)
    assert uniform(np.floor(share * 3).astype(int), 6)


@pytest.mark.parametrize("antithetic", [True, False])
def test_level_of_each_block_is_uniform(antithetic: bool) -> None:
    got = levels(BlockNoise(low=0.1, high=0.5, antithetic=antithetic), N, 3)
    for block in got.T:
        assert stats.kstest(block, stats.uniform(0.1, 0.4).cdf).pvalue > 1e-4
    correlation = np.corrcoef(got[:, 0], got[:, 1])[0, 1]
    # Three strata drawn without replacement: -(1/2) (8/9) between, 0 within strata.
    assert abs(correlation - (-4 / 9 if antithetic else 0)) < 4 / N**0.5


@pytest.mark.parametrize("antithetic", [True, False])
@pytest.mark.parametrize("block", [1, 4, 100])
def test_weights_are_unbiased(antithetic: bool, block: int) -> None:
    selector = BlockNoise(block, antithetic=antithetic)
    tokens = equal_rows(5 * N, 10)
    rng = Rng.at(11, 2, tokens.keys)
    mask = selector.select(tokens, VOCAB, rng).mask
    rows = (mask * selector.weights(tokens, VOCAB, rng)).reshape(-1, 10)
    for mean, deviation in zip(rows.mean(axis=0), rows.std(axis=0), strict=True):
        assert abs(mean - 1) <= 4 * deviation / len(rows) ** 0.5


def test_block_as_long_as_the_row_has_one_level() -> None:
    tokens = equal_rows(N, 4)
    rng = Rng.at(1, 0, tokens.keys)
    weights = BlockNoise(4).weights(tokens, VOCAB, rng).reshape(-1, 4)
    assert (weights == weights[:, :1]).all()
    counts = BlockNoise(4, low=1e-9).select(tokens, VOCAB, rng).counts
    assert fits(np.bincount(counts, minlength=5), np.ones(5))


def test_blocks_of_one_token_at_level_one_mask_all() -> None:
    tokens = batch([[2, 5, 6, 7, 3], [8], [3], []])
    selector = BlockNoise(1, low=1.0)
    rng = Rng.at(1, 0, tokens.keys)
    assert (selector.select(tokens, VOCAB, rng).mask == ~VOCAB.special[tokens.ids]).all()
    assert (selector.weights(tokens, VOCAB, rng) == 1).all()
