"""dilated: conventions of other libraries, and the number of intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import maskplug
from maskplug.attention import Dilated, Strided, Window
from maskplug.schedule import Linear

LENGTH = 14
q, k = np.arange(LENGTH)[:, None], np.arange(LENGTH)[None]
DILATIONS = [1, 2, 3, 5, 20]


def matrix(pattern: maskplug.Pattern, **more: Any) -> Any:
    return pattern.dense(LENGTH, **more)[0, 0]


@pytest.mark.parametrize("dilation", DILATIONS)
@pytest.mark.parametrize("side", [0, 1, 2, 4])
def test_dilated_matches_longformer(side: int, dilation: int) -> None:
    seen = np.zeros((LENGTH, LENGTH), np.bool_)
    for query in range(LENGTH):
        keys = [query + j * dilation for j in range(-side, side + 1)]
        seen[query, [key for key in keys if 0 <= key < LENGTH]] = True
    ours = matrix(Dilated(left=side, right=side, dilation=dilation))
    assert (ours == seen).all()
    assert (ours == ours.T).all()


@pytest.mark.parametrize("dilation", DILATIONS)
@pytest.mark.parametrize("reach", [0, 1, 4, 7, 40])
def test_matches_attention_gym(reach: int, dilation: int) -> None:
    distance = np.abs(q - k)
    theirs = (distance <= reach) & (distance % dilation == 0)
    assert (matrix(Dilated.attention_gym(reach, dilation)) == theirs).all()


@pytest.mark.parametrize("side", [0, 3, None])
def test_a_dilation_of_one_is_a_window(side: int | None) -> None:
    ours = matrix(Dilated(left=side, right=2, dilation=1))
    assert (ours == matrix(Window(left=side, right=2))).all()


def test_unbounded_dilated_matches_strided() -> None:
    ours = matrix(Dilated(left=None, right=None, dilation=3))
    assert (ours == matrix(Strided(3))).all()


@pytest.mark.parametrize("pattern", [Dilated(left=4, right=4, dilation=3), Strided(2)])
def test_dilation_needs_one_interval(pattern: maskplug.Pattern) -> None:
    rows = (pattern & maskplug.pattern("causal & padding")).intervals(
        500, valid=[0] * 3 + [1] * 497
    )
    assert rows.lo.shape[-1] == 1
    assert not rows.plain


def test_left_and_right_follow_schedules() -> None:
    growing = Dilated(left=Linear(0, 4), right=Linear(0, 2), dilation=3)
    seen = [matrix(growing, progress=p) for p in (0.0, 0.5, 1.0)]
    for mask, left, right in zip(seen, (0, 2, 4), (0, 1, 2), strict=True):
        assert (mask == matrix(Dilated(left=left, right=right, dilation=3))).all()
    assert (seen[0] <= seen[1]).all()
    assert (seen[1] <= seen[2]).all()


def test_dilation_follows_a_schedule() -> None:
    pattern = maskplug.pattern(
        "dilated(left=null, right=null, dilation=steps([1, 2, 4], [0.3, 0.6]))"
    )
    seen = [matrix(pattern, progress=p) for p in (0.0, 0.5, 1.0)]
    assert seen[0].all()
    assert [int(mask[0].sum()) for mask in seen] == [14, 7, 4]
    assert (seen[0] >= seen[1]).all()
    assert (seen[1] >= seen[2]).all()
