"""unilm: four modes and their mixture."""

from __future__ import annotations

from typing import Any

import numpy as np

import maskplug
from support.batches import fits

MODES = ("bidirectional", "seq2seq", "left_to_right", "right_to_left")
SEGMENTS = [0, 0, 0, 1, 1, 1, 1]
N = 12_000


def dense(mode: str, length: int = 7, **more: Any) -> Any:
    return maskplug.pattern("unilm", mode=mode).dense(length, segments=SEGMENTS[:length], **more)


def drawn(samples: int = N, **options: Any) -> list[int]:
    """How often each of the modes was drawn."""
    pattern = maskplug.pattern("unilm", mode="mixture", **options)
    masks = pattern.dense(7, segments=SEGMENTS, keys=range(samples))
    return [int((masks == dense(mode)).all((1, 2, 3)).sum()) for mode in MODES]


def test_the_other_modes() -> None:
    causal = maskplug.pattern("causal").dense(7)
    assert (dense("left_to_right") == causal).all()
    assert (dense("right_to_left") == causal.swapaxes(2, 3)).all()
    assert dense("bidirectional").all()


def test_mixture_has_the_paper_s_shares() -> None:
    counts = drawn()
    assert sum(counts) == N
    assert fits(counts, [2, 2, 1, 1])


def test_shares_are_relative_and_can_be_zero() -> None:
    assert drawn(3000, shares=(4.0, 4.0, 2.0, 2.0)) == drawn(3000)
    counts = drawn(3000, shares=(0.0, 1.0, 3.0, 0.0))
    assert counts[0] == counts[3] == 0
    assert fits(counts[1:3], [1, 3])
    assert drawn(200, shares=(0.0, 0.0, 0.0, 1.0)) == [0, 0, 0, 200]


def test_needs_one_interval() -> None:
    pattern = maskplug.pattern("unilm")
    rows = pattern.intervals(500, segments=np.arange(500) > 300)
    assert rows.lo.shape == (1, 1, 500, 1)


def test_segments_of_padding_are_ignored() -> None:
    mask = maskplug.pattern("unilm").dense(3, segments=[0, 1, -1], valid=[1, 1, 0])
    assert mask[0, 0, :2, :2].astype(int).tolist() == [[1, 0], [1, 1]]
