"""global_tokens: by position and by annotation."""

from __future__ import annotations

from typing import Any

import numpy as np

import maskplug


def matrix(pattern: maskplug.Pattern | str, length: int = 9, **more: Any) -> Any:
    return maskplug.pattern(pattern).dense(length, **more, fallback="error")[0, 0]


def test_negative_positions_count_from_each_sample_s_end() -> None:
    valid = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [0, 0, 1, 1, 1]])
    masks = maskplug.pattern("global_tokens:positions=[-1]").dense(5, valid=valid)[:, 0]
    assert [np.flatnonzero(mask.all(0)).tolist() for mask in masks] == [[4], [2], [4]]


def test_positions_beyond_a_short_sample_are_ignored() -> None:
    valid = np.array([[1, 1, 1, 1, 1, 1], [0, 1, 1, 1, 0, 0]])
    masks = maskplug.pattern("global_tokens:positions=[0, 3, -5]").dense(6, valid=valid)[:, 0]
    # -5 is token 1 of six and none of three; 3 is padding in the second sample.
    assert [np.flatnonzero(mask.all(0)).tolist() for mask in masks] == [[0, 1, 3], [1]]


def test_global_tokens_with_a_window_match_longformer() -> None:
    # Beltagy et al., figure 2d: a window, and a token that attends to all and is visible to all.
    q, k = np.arange(9)[:, None], np.arange(9)[None]
    mask = matrix("global_tokens | window:left=2,right=2")
    assert (mask == ((np.abs(q - k) <= 2) | (q == 0) | (k == 0))).all()
