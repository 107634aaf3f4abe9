"""monotonic: source tokens read so far."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

import maskplug
from maskplug.attention import Monotonic, WaitK


def visible(reads: list[int], sources: int, **options: Any) -> list[list[int]]:
    """The source tokens that each target token sees."""
    seen = Monotonic(**options).dense(
        len(reads), sources, attention_kind="cross", sources_read=[reads]
    )
    return [np.flatnonzero(row).tolist() for row in seen[0, 0]]


def test_read_tokens_stay_visible() -> None:
    assert visible([0, 2, 1, 4, 0], 5) == [[0], [0, 1], [0, 1], [0, 1, 2, 3], [0, 1, 2, 3]]


def test_lookback() -> None:
    assert visible([0, 2, 1, 4, 5], 5, lookback=2) == [[0], [0, 1], [0, 1], [2, 3], [3, 4]]
    assert visible([3, 5], 5, lookback=99) == visible([3, 5], 5)


def test_matches_wait_k() -> None:
    reads = [min(3 + q, 7) for q in range(9)]
    theirs = WaitK(3).dense(9, 7, attention_kind="cross")
    assert (Monotonic().dense(9, 7, attention_kind="cross", sources_read=reads) == theirs).all()


def test_masks_grow_and_are_never_empty() -> None:
    rng = np.random.default_rng(0)
    reads = rng.integers(0, 12, (30, 20))
    seen = Monotonic().dense(20, 11, attention_kind="cross", sources_read=reads)
    assert (seen[:, :, :-1] <= seen[:, :, 1:]).all()
    assert seen[..., 0].all()
    short = Monotonic(lookback=3).dense(20, 11, attention_kind="cross", sources_read=reads)
    assert (short <= seen).all()
    assert set(short.sum(-1).ravel()) == {1, 2, 3}


def test_lookback_follows_a_schedule() -> None:
    growing = maskplug.pattern("monotonic(lookback=linear(1, 3))")
    masks = [
        growing.dense(3, 5, attention_kind="cross", sources_read=[2, 4, 5], progress=at)
        for at in (0.0, 0.5, 1.0)
    ]
    assert [mask[0, 0].sum(-1).tolist() for mask in masks] == [[1, 1, 1], [2, 2, 2], [2, 3, 3]]
    assert all((a <= b).all() for a, b in pairwise(masks))


def test_padding_is_ignored() -> None:
    annotations = {
        "sources_read": [[9, 2, 3, -1], [1, 1, 4, 4]],
        "valid": [[0, 1, 1, 1, 0], [1, 1, 1, 1, 0]],
        "valid_queries": [[0, 1, 1, 0], [1, 1, 1, 1]],
    }
    seen = Monotonic().dense(4, 5, attention_kind="cross", **annotations)[:, 0]
    assert seen[0].astype(int).tolist() == [
        [0, 1, 0, 0, 0],
        [0, 1, 1, 0, 0],
        [0, 1, 1, 1, 0],
        [0, 1, 1, 1, 0],
    ]
    assert seen[1].sum(-1).tolist() == [1, 1, 4, 4]
