"""Tests of compare()."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from maskplug.errors import OptionError
from maskplug_hf.attention import compare

CAUSAL = np.tri(3, dtype=bool)
FULL = np.ones((3, 3), bool)


def test_equal_masks_have_no_difference() -> None:
    difference = compare(CAUSAL, np.stack([CAUSAL, CAUSAL])[:, None])
    assert not difference
    assert str(difference) == "the received mask is the requested one"


def test_leaks_and_lost_cells_are_listed() -> None:
    got = np.stack([CAUSAL, FULL])[:, None]
    got[1, 0, 2, 0] = False
    difference = compare(CAUSAL, got)
    assert difference
    assert difference.leaks.tolist() == [[1, 0, 0, 1], [1, 0, 0, 2], [1, 0, 1, 2]]
    assert difference.lost.tolist() == [[1, 0, 2, 0]]
    assert str(difference).splitlines() == [
        "3 cells visible but not requested; first: sample 1, head 0, query 0, key 1",
        "1 cell requested but not visible; first: sample 1, head 0, query 2, key 0",
    ]


def test_heads_and_samples_are_broadcast() -> None:
    asked = np.ones((1, 2, 3, 3), bool)
    asked[0, 1] = CAUSAL
    difference = compare(asked, np.ones((2, 1, 3, 3), bool))
    assert len(difference.lost) == 0
    assert {tuple(cell[:2]) for cell in difference.leaks.tolist()} == {(0, 1), (1, 1)}


def test_rows_of_padding_are_ignored() -> None:
    got = np.stack([CAUSAL, CAUSAL])[:, None].copy()
    got[1, 0, 2] = False
    assert len(compare(CAUSAL, got).lost) == 3
    assert not compare(CAUSAL, got, valid=[[1, 1, 1], [1, 1, 0]])
    assert compare(CAUSAL, got, valid=[[1, 1, 0], [1, 1, 1]])


@pytest.mark.parametrize(
    ("asked", "got", "valid", "message"),
    [
        (CAUSAL, np.ones((3, 4), bool), None, "shapes do not match"),
        (CAUSAL, np.ones((1, 3), bool), None, "shapes do not match"),
        (np.ones((2, 1, 3, 3), bool), np.ones((3, 1, 3, 3), bool), None, "shapes do not match"),
        (CAUSAL, CAUSAL, [[1, 1]], "shapes do not match"),
        (np.ones((2, 1, 3, 3), bool), CAUSAL, np.ones((3, 3)), "shapes do not match"),
        (np.ones(3, bool), CAUSAL, None, "masks are bool"),
        (np.ones((3, 3)), CAUSAL, None, "masks are bool"),
        (np.ones((1, 1, 1, 3, 3), bool), CAUSAL, None, "masks are bool"),
    ],
)
def test_masks_that_cannot_be_compared_raise(
    asked: Any, got: Any, valid: Any, message: str
) -> None:
    with pytest.raises(OptionError, match=message):
        compare(asked, got, valid)
