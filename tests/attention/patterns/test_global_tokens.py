"""global_tokens: by position and by annotation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import maskplug
from maskplug.attention import GlobalTokens


def matrix(pattern: maskplug.Pattern | str, length: int = 9, **more: Any) -> Any:
    return maskplug.pattern(pattern).dense(length, **more, fallback="error")[0, 0]


def both_ways(chosen: Any) -> Any:
    chosen = np.asarray(chosen, np.bool_)
    return chosen[:, None] | chosen[None]


@pytest.mark.parametrize("positions", [(0,), (8,), (2, 3, 7), tuple(range(9)), (-1, 0), (-9,)])
def test_global_rows_and_columns_are_full(positions: tuple[int, ...]) -> None:
    seen = matrix(GlobalTokens(positions))
    chosen = np.isin(np.arange(9), np.array(positions) % 9)
    assert (seen == both_ways(chosen)).all()
    assert (seen == seen.T).all()
    assert seen[chosen].all()
    assert seen[:, chosen].all()
    n = chosen.sum()
    assert seen.sum() == 2 * 9 * n - n * n


def test_annotation_matches_positions() -> None:
    layer = [1, 0, 0, 1, 0, 0, 0, 0, 1]
    seen = matrix("global_tokens:positions=null", global_tokens=layer)
    assert (seen == matrix("global_tokens:positions=[0, 3, -1]")).all()


def test_negative_positions_count_from_each_sample_s_end() -> None:
    valid = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [0, 0, 1, 1, 1]])
    seen = maskplug.pattern("global_tokens:positions=[-1]").dense(5, valid=valid)[:, 0]
    assert [np.flatnonzero(mask.all(0)).tolist() for mask in seen] == [[4], [2], [4]]


def test_positions_beyond_a_short_sample_are_ignored() -> None:
    valid = np.array([[1, 1, 1, 1, 1, 1], [0, 1, 1, 1, 0, 0]])
    seen = maskplug.pattern("global_tokens:positions=[0, 3, -5]").dense(6, valid=valid)[:, 0]
    # -5 is token 1 of six and none of three; 3 is padding in the second sample.
    assert [np.flatnonzero(mask.all(0)).tolist() for mask in seen] == [[0, 1, 3], [1]]


def test_only_keys_are_global_in_cross_attention() -> None:
    seen = maskplug.pattern("global_tokens:positions=[1]").dense(3, 4, attention_kind="cross")[0, 0]
    assert seen.astype(int).tolist() == [[0, 1, 0, 0]] * 3


def test_global_tokens_with_a_window_match_longformer() -> None:
    # Beltagy et al., figure 2d: a window, and a token that sees and is seen by all.
    q, k = np.arange(9)[:, None], np.arange(9)[None]
    seen = matrix("global_tokens | window:left=2,right=2")
    assert (seen == ((np.abs(q - k) <= 2) | (q == 0) | (k == 0))).all()
