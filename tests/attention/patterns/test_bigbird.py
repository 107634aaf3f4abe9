"""bigbird: window, global and random blocks."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import Any

import numpy as np

import maskplug
from support.batches import fits

N = 6_000


def blocks(text: str, number: int, samples: int = 200, **more: Any) -> Any:
    """Return the masks of blocks of one token: bool of shape (samples, blocks, blocks)."""
    pattern = maskplug.pattern(f"bigbird:block=1,{text}")
    return pattern.dense(number, keys=range(samples), **more)[:, 0]


def around(number: int, window: int, ends: int) -> Any:
    """Return the mask without random blocks."""
    i, j = np.ogrid[:number, :number]
    middle = (i >= ends) & (i < number - ends), (j >= ends) & (j < number - ends)
    return (abs(i - j) <= window // 2) | ~middle[0] | ~middle[1]


def test_all_sets_of_random_blocks_are_equally_likely() -> None:
    mask = blocks("random=2", 9, samples=N)
    for block, others in [(1, [3, 4, 5, 6, 7]), (4, [1, 2, 6, 7])]:
        pairs = list(combinations(others, 2))
        result = [int((mask[:, block, a] & mask[:, block, b]).sum()) for a, b in pairs]
        assert sum(result) == N
        assert fits(result, np.ones(len(pairs)))


def test_blocks_are_independent() -> None:
    mask = blocks("random=1", 9, samples=N)
    both = [[int((mask[:, 1, a] & mask[:, 7, b]).sum()) for b in range(1, 6)] for a in range(3, 8)]
    assert fits(np.ravel(both), np.ones(25))


def test_number_of_keys_matches_the_original() -> None:
    counts = maskplug.pattern("bigbird").intervals(1024, heads=12, keys=[4]).counts
    assert counts.shape == (1, 12, 1024)
    by_block = counts.reshape(12, 16, 64)
    assert (by_block[:, [0, 15]] == 1024).all()
    assert (by_block[:, [1, 14]] == (3 + 1 + 3) * 64).all()  # an end lies in their window
    assert (by_block[:, 2:14] == (3 + 2 + 3) * 64).all()


def test_a_growing_number_keeps_earlier_blocks() -> None:
    text = "bigbird(block=1, random=linear(0, 5))"
    pattern = maskplug.pattern(text)
    at = [pattern.dense(14, keys=range(50), progress=p)[:, 0] for p in (0.0, 0.4, 0.5, 1.0)]
    assert (at[0] == around(14, 3, 1)).all()
    for fewer, more in pairwise(at):
        assert (~fewer | more).all()
        assert (fewer != more).any()
    assert (at[1][:, 5].sum(-1) == 5 + 2).all()
    assert (at[2][:, 5].sum(-1) == 5 + 3).all()  # two and a half are three
    assert (at[3][:, 5].sum(-1) == 5 + 5).all()


def test_short_samples_have_full_attention() -> None:
    for length in (1, 2, 63, 64, 65, 192):
        assert maskplug.pattern("bigbird").dense(length).all()
    assert blocks("window=99,random=3,global_blocks=0", 9, samples=3).all()
    assert blocks("global_blocks=7", 9, samples=3).all()
    assert maskplug.pattern("bigbird").dense(0).shape == (1, 1, 0, 0)
