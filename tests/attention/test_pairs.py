"""Annotations that hold any number of pairs per sample."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from maskplug.attention import AttentionCall
from maskplug.attention.rendered import _samples
from maskplug.context import MaskingContext
from maskplug.errors import TokenError


def call(links: Any, batch: int = 2) -> AttentionCall:
    context = MaskingContext.at(0, 0, 0, np.arange(batch, dtype=np.uint64))
    return AttentionCall(4, 5, context, attention_kind="cross", annotations={"links": links})


RAGGED = [[(0, 0), (1, 2)], [(4, 3)]]


@pytest.mark.parametrize(
    "links",
    [
        RAGGED,
        tuple(map(tuple, RAGGED)),
        [np.array(row, np.uint8) for row in RAGGED],
        [[(0, 0), (1, 2)], [(4, 3), (-1, -1)]],
        np.array([[(0, 0), (1, 2)], [(-1, -1), (4, 3)]], np.int32),
    ],
)
def test_lists_and_arrays_hold_the_same_pairs(links: Any) -> None:
    result = call(links).pairs("links", "aligned")
    assert [side.tolist() for side in result] == [[0, 0, 1], [0, 1, 4], [0, 2, 3]]
    assert {side.dtype for side in result} == {np.dtype(np.int64)}


def test_one_entry_is_used_for_all_samples() -> None:
    result = call([[(1, 2)]], batch=3).pairs("links", "aligned")
    assert [side.tolist() for side in result] == [[0, 1, 2], [1, 1, 1], [2, 2, 2]]


@pytest.mark.parametrize(
    "links", [[[], []], [[]], np.zeros((2, 0, 2), int), np.full((1, 3, 2), -1)]
)
def test_no_pairs(links: Any) -> None:
    assert [side.tolist() for side in call(links).pairs("links", "aligned")] == [[], [], []]


@pytest.mark.parametrize(
    ("links", "message"),
    [
        ([[(0, 0)]] * 3, "'links' has 3 entries for 2 samples; pattern 'aligned' needs"),
        (7, "'links' has 0 entries for 2 samples"),
        ([(0, 0), (1, 1)], r"annotation 'links' of sample 0 is \(0, 0\)"),
        ([[(0, 0)], [(0, 0, 1)]], r"annotation 'links' of sample 1 is \[\(0, 0, 1\)\]"),
        ([[(0, 0)], [(0, 0), (1,)]], "'links' of sample 1"),
        ([[(0, 0)], [(0.5, 0)]], "'links' of sample 1"),
        ([["0-0"], []], "'links' of sample 0"),
    ],
)
def test_wrong_pairs_are_refused(links: Any, message: str) -> None:
    with pytest.raises(TokenError, match=message):
        call(links).pairs("links", "aligned")


@pytest.mark.parametrize(
    ("layer", "samples"),
    [
        (RAGGED, 2),
        ([[], []], 2),
        ([[(0, 0)], [], []], 3),
        ([[(0, 0)]], 1),
        (np.ones((2, 3)), 2),
        ([1, 0, 1], 1),
        (3, 1),
    ],
)
def test_batch_size_of_annotations(layer: Any, samples: int) -> None:
    assert _samples(layer) == samples


def test_starts_and_lengths_of_queries() -> None:
    context = MaskingContext.at(0, 0, 0, np.arange(2, dtype=np.uint64))
    valid, queries = [[0, 1, 1], [1, 1, 0]], [[0, 0, 1, 1], [1, 1, 1, 0]]
    both = {"valid": valid, "valid_queries": queries}
    cross = AttentionCall(4, 3, context, attention_kind="cross", annotations=both)
    assert (cross.query_starts.tolist(), cross.query_lengths.tolist()) == ([2, 0], [2, 3])
    assert (cross.starts.tolist(), cross.lengths.tolist()) == ([1, 0], [2, 2])
    later = AttentionCall(1, 3, context, offset=2, annotations=both)
    assert (later.query_starts.tolist(), later.query_lengths.tolist()) == ([-1, -2], [2, 2])
