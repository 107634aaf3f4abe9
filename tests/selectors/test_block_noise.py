"""Tests of the selector ``block_noise``."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from maskplug import Rng
from maskplug.selectors import BlockNoise
from support import reference as ref
from support import reference_diffusion as diffusion_ref
from support.batches import VOCAB, batch, equal_rows, fits, ragged, seeds

N = 12_000


def levels(selector: BlockNoise, samples: int, blocks: int) -> Any:
    """Return the levels of rows with this number of blocks: (samples, blocks)."""
    counts = np.full(samples, blocks)
    return selector.times(counts, Rng.at(11, 0, range(samples))).reshape(samples, blocks)


@given(ragged(), seeds, st.integers(1, 12), st.floats(1e-3, 1), st.floats(1e-3, 1), st.booleans())
def test_matches_reference(
    rows: list[list[int]], seed: int, block: int, one: float, other: float, antithetic: bool
) -> None:
    tokens = batch(rows)
    options = {"low": min(one, other), "high": max(one, other), "antithetic": antithetic}
    selector = BlockNoise(block, **options)
    rng = Rng.at(seed, 5, tokens.keys)
    expected: list[tuple[bool, float | None, int]] = []
    for i, row in enumerate(rows):
        free = [not VOCAB.special[token] for token in row]
        sample = ref.Sample(seed, 5, i)
        levels = diffusion_ref.block_levels(sample, sum(free), block, **options)
        chosen = iter(diffusion_ref.chosen(sample, [levels[j // block] for j in range(sum(free))]))
        for unit, number in zip(free, diffusion_ref.block_layer(free, block), strict=True):
            masked = unit and next(chosen)
            expected.append((masked, 1.0 / levels[number] if masked else None, number))
    mask = selector.select(tokens, VOCAB, rng).mask
    weights = selector.weights(tokens, VOCAB, rng)
    numbers = selector.annotations(tokens, VOCAB)["block"]
    assert numbers.dtype == np.int64
    got = [(m, w if m else None, b) for m, w, b in zip(mask, weights, numbers, strict=True)]
    assert got == expected


def test_blocks_count_maskable_tokens() -> None:
    rows = [[2, 5, 3, 6, 7, 8, 3, 9, 0, 0], [2, 3], [], [5, 6]]
    got = BlockNoise(2).annotations(batch(rows), VOCAB)["block"]
    assert got.tolist() == [-1, 0, 0, 0, 1, 1, 1, 2, 2, 2, -1, -1, 0, 0]


def test_prompt_tokens_have_block_minus_one() -> None:
    protected = [[True, True, True, False, False, False]]
    tokens = batch([[2, 5, 6, 7, 8, 9]], protected=protected)
    assert BlockNoise(2).annotations(tokens, VOCAB)["block"].tolist() == [-1, -1, -1, 0, 0, 1]


@pytest.mark.parametrize("blocks", [1, 2, 3, 7])
def test_antithetic_levels_are_stratified(blocks: int) -> None:
    share = (levels(BlockNoise(low=0.2, high=0.6), 500, blocks) - 0.2) / 0.4
    parts = np.sort(np.floor(share * blocks), axis=1)
    assert (parts == np.arange(blocks)).all()


def test_order_of_strata_is_uniform() -> None:
    share = (levels(BlockNoise(), N, 3) - 1e-3) / (1 - 1e-3)
    counts = Counter(map(tuple, np.floor(share * 3).astype(int).tolist()))
    assert len(counts) == 6
    assert fits(list(counts.values()), np.ones(6))


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
