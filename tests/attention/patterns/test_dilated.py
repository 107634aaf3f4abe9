"""dilated: conventions of other libraries, and the number of intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import maskplug
from maskplug.attention import Dilated, Strided, Window

LENGTH = 14
q, k = np.arange(LENGTH)[:, None], np.arange(LENGTH)[None]
DILATIONS = [1, 2, 3, 5, 20]


def matrix(pattern: maskplug.Pattern, **more: Any) -> Any:
    return pattern.dense(LENGTH, **more)[0, 0]


@pytest.mark.parametrize("dilation", DILATIONS)
@pytest.mark.parametrize("side", [0, 1, 2, 4])
def test_dilated_matches_longformer(side: int, dilation: int) -> None:
    expected = np.zeros((LENGTH, LENGTH), np.bool_)
    for query in range(LENGTH):
        keys = [query + j * dilation for j in range(-side, side + 1)]
        expected[query, [key for key in keys if 0 <= key < LENGTH]] = True
    ours = matrix(Dilated(left=side, right=side, dilation=dilation))
    assert (ours == expected).all()
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


@pytest.mark.parametrize("pattern", [Dilated(left=4, right=4, dilation=3), Strided(2)])
def test_dilation_needs_one_interval(pattern: maskplug.Pattern) -> None:
    rows = (pattern & maskplug.pattern("causal & padding")).intervals(
        500, valid=[0] * 3 + [1] * 497
    )
    assert rows.lo.shape[-1] == 1
    assert not rows.plain
