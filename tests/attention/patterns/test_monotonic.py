"""monotonic: source tokens read so far."""

from __future__ import annotations

from typing import Any

import numpy as np

from maskplug.attention import Monotonic, WaitK


def visible(reads: list[int], sources: int, **options: Any) -> list[list[int]]:
    """The source tokens that each target token sees."""
    mask = Monotonic(**options).dense(
        len(reads), sources, attention_kind="cross", sources_read=[reads]
    )
    return [np.flatnonzero(row).tolist() for row in mask[0, 0]]


def test_read_tokens_stay_visible() -> None:
    assert visible([0, 2, 1, 4, 0], 5) == [[0], [0, 1], [0, 1], [0, 1, 2, 3], [0, 1, 2, 3]]


def test_lookback() -> None:
    assert visible([0, 2, 1, 4, 5], 5, lookback=2) == [[0], [0, 1], [0, 1], [2, 3], [3, 4]]
    assert visible([3, 5], 5, lookback=99) == visible([3, 5], 5)


def test_matches_wait_k() -> None:
    reads = [min(3 + q, 7) for q in range(9)]
    theirs = WaitK(3).dense(9, 7, attention_kind="cross")
    assert (Monotonic().dense(9, 7, attention_kind="cross", sources_read=reads) == theirs).all()
