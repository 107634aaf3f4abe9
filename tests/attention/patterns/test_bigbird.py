"""bigbird: window, global and random blocks."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import Any

import numpy as np

import maskplug
from support.batches import fits

N = 6_000


def blocks(text: str, number: int, samples: int = 200, **more: Any) -> Any:
    """Who sees whom among blocks of one token: bool of shape (samples, blocks, blocks)."""
    pattern = maskplug.pattern(f"bigbird:block=1,{text}")
    return pattern.dense(number, keys=range(samples), **more)[:, 0]


def around(number: int, window: int, ends: int) -> Any:
    """What is seen without random blocks."""
    i, j = np.ogrid[:number, :number]
    middle = (i >= ends) & (i < number - ends), (j >= ends) & (j < number - ends)
    return (abs(i - j) <= window // 2) | ~middle[0] | ~middle[1]


def test_window_and_global_blocks() -> None:
    for window, ends in [(1, 0), (3, 1), (5, 2), (3, 0)]:
        mask = blocks(f"random=0,window={window},global_blocks={ends}", 9, samples=1)
        assert (mask[0] == around(9, window, ends)).all()


def test_random_blocks_are_distinct_and_not_global_or_in_the_window() -> None:
    fixed = around(12, 3, 1)
    further = blocks("random=3", 12) & ~fixed
    left = 12 - fixed.sum(-1)
    assert (further.sum(-1) == np.minimum(left, 3)).all()


def test_global_blocks() -> None:
    mask = blocks("random=1,global_blocks=2", 11)
    for end in (0, 1, 9, 10):
        assert mask[:, end].all()
        assert mask[:, :, end].all()


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


def test_tokens_of_a_block_have_the_same_mask() -> None:
    mask = maskplug.pattern("bigbird:block=4,random=2").dense(44, keys=range(20))[:, 0]
    cells = mask.reshape(20, 11, 4, 11, 4)
    assert (cells == cells[:, :, :1, :, :1]).all()
    small = blocks("random=2", 11, samples=20)
    assert (cells[:, :, 0, :, 0] == small).all()


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


def test_window_schedules_are_rounded_to_odd_numbers() -> None:
    pattern = maskplug.pattern("bigbird(block=1, window=linear(1, 5), random=0, global_blocks=0)")
    for progress, window in [(0.0, 1), (0.24, 1), (0.25, 3), (0.5, 3), (0.74, 3), (0.75, 5)]:
        mask = pattern.dense(9, progress=progress)[0, 0]
        assert (mask == around(9, window, 0)).all()


def test_samples_can_have_different_block_sizes() -> None:
    text = "bigbird(block={0}, window={1}, global_blocks={2}, random=linear(3, 0))"
    moving = maskplug.pattern(text.format("linear(2, 5)", "linear(5, 1)", "linear(0, 2)"))
    arguments: dict[str, Any] = {"heads": 3, "valid": [[0] * 4 + [1] * 30, [1] * 33 + [0]]}
    mask = moving.dense(34, keys=["a", "b"], progress=np.array([0.0, 1.0]), **arguments)
    for sample, options in enumerate([(2, 5, 0), (5, 1, 2)]):
        plain = maskplug.pattern(text.format(*options))
        alone = plain.dense(34, keys=["a", "b"], progress=float(sample), **arguments)
        assert (mask[sample] == alone[sample]).all()


def test_short_samples_have_full_attention() -> None:
    for length in (1, 2, 63, 64, 65, 192):
        assert maskplug.pattern("bigbird").dense(length).all()
    assert blocks("window=99,random=3,global_blocks=0", 9, samples=3).all()
    assert blocks("global_blocks=7", 9, samples=3).all()
    assert maskplug.pattern("bigbird").dense(0).shape == (1, 1, 0, 0)


def test_padding() -> None:
    valid = [0] * 3 + [1] * 10 + [0] * 2
    mask = maskplug.pattern("bigbird:block=2").dense(15, keys=[3], valid=valid)[0, 0]
    assert not mask[:, [0, 1, 2, 13, 14]].any()
    assert (mask[:3] == mask[3]).all()
    assert (mask[13:] == mask[12]).all()
