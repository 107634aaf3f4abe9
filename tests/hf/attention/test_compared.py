"""What leaks and what is lost between two masks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from maskplug.errors import OptionError
from maskplug_hf.attention import compare

CAUSAL = np.tri(3, dtype=bool)
FULL = np.ones((3, 3), bool)


def test_equal_masks_are_no_difference() -> None:
    found = compare(CAUSAL, np.stack([CAUSAL, CAUSAL])[:, None])
    assert not found
    assert str(found) == "the mask is the one that was asked for"


def test_leaks_and_losses_are_counted_and_placed() -> None:
    got = np.stack([CAUSAL, FULL])[:, None]
    got[1, 0, 2, 0] = False
    found = compare(CAUSAL, got)
    assert found
    assert found.leaks.tolist() == [[1, 0, 0, 1], [1, 0, 0, 2], [1, 0, 1, 2]]
    assert found.lost.tolist() == [[1, 0, 2, 0]]
    assert str(found).splitlines() == [
        "3 cells seen, but not asked for; the first: sample 1, head 0, query 0, key 1",
        "1 cell asked for, but not seen; the first: sample 1, head 0, query 2, key 0",
    ]


def test_heads_and_samples_are_spread() -> None:
    asked = np.ones((1, 2, 3, 3), bool)
    asked[0, 1] = CAUSAL
    found = compare(asked, np.ones((2, 1, 3, 3), bool))
    assert len(found.lost) == 0
    assert {tuple(cell[:2]) for cell in found.leaks.tolist()} == {(0, 1), (1, 1)}


def test_what_padding_sees_is_left_out() -> None:
    got = np.stack([CAUSAL, CAUSAL])[:, None].copy()
    got[1, 0, 2] = False
    assert len(compare(CAUSAL, got).lost) == 3
    assert not compare(CAUSAL, got, valid=[[1, 1, 1], [1, 1, 0]])
    assert compare(CAUSAL, got, valid=[[1, 1, 0], [1, 1, 1]])


@pytest.mark.parametrize(
    ("asked", "got", "valid"),
    [
        (CAUSAL, np.ones((3, 4), bool), None),
        (CAUSAL, np.ones((1, 3), bool), None),
        (np.ones((2, 1, 3, 3), bool), np.ones((3, 1, 3, 3), bool), None),
        (CAUSAL, CAUSAL, [[1, 1]]),
        (np.ones((2, 1, 3, 3), bool), CAUSAL, np.ones((3, 3))),
    ],
)
def test_shapes_that_do_not_fit_are_refused(asked: Any, got: Any, valid: Any) -> None:
    with pytest.raises(OptionError, match="do not fit together"):
        compare(asked, got, valid)


@pytest.mark.parametrize("bad", [np.ones(3, bool), np.ones((3, 3)), np.ones((1, 1, 1, 3, 3), bool)])
def test_only_bool_masks_are_compared(bad: Any) -> None:
    with pytest.raises(OptionError, match="masks are bool"):
        compare(bad, CAUSAL)
