"""Tests of ``objectives.tlm`` and the strategy ``tlm``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given

import maskplug
from maskplug.errors import TokenError
from maskplug.objectives.tlm import concatenate
from maskplug.rng import hash_words
from support.batches import VOCAB, batch, ragged


def test_tlm_row_matches_xlm() -> None:
    # XLM's format: an end of sequence on both sides of each text.
    english = batch([[2, 10, 11, 2]], keys=["pair"])
    french = batch([[2, 20, 21, 22, 2]], keys=["pair"])
    tokens = concatenate(english, french)
    assert tokens.ids.tolist() == [2, 10, 11, 2, 2, 20, 21, 22, 2]
    masked = maskplug.strategy("tlm")(tokens, VOCAB)
    assert masked.annotations["position_ids"].tolist() == [0, 1, 2, 3, 0, 1, 2, 3, 4]
    assert masked.annotations["langs"].tolist() == [0] * 4 + [1] * 5
    assert masked.annotations["langs"].dtype == masked.annotations["position_ids"].dtype == np.int64
    assert not masked.selection.mask[[0, 3, 4, 8]].any()


def test_positions_restart_in_every_row() -> None:
    tokens = batch([[5, 6], [7, 8, 9], [], [6]], languages=[[1, 1], [1, 0, 0], [], [0]])
    masked = maskplug.strategy("tlm")(tokens, VOCAB)
    assert masked.annotations["position_ids"].tolist() == [0, 1, 0, 0, 1, 0]


def test_concatenate_joins_rows_and_annotations() -> None:
    first = batch([[5, 6], [], [7]], keys=[1, 2, 3], word_starts=[[True, False], [], [True]])
    second = batch([[8], [9, 10], []], keys=[1, 2, 4], word_starts=[[False], [True, True], []])
    both = concatenate(first, second, languages=(3, 7))
    assert [both.row(i).ids.tolist() for i in range(3)] == [[5, 6, 8], [9, 10], [7]]
    assert both.annotations["languages"].tolist() == [3, 3, 7, 7, 7, 3]
    assert both.annotations["word_starts"].astype(int).tolist() == [1, 0, 0, 1, 1, 1]
    assert both.keys[:2].tolist() == [1, 2]
    assert both.keys[2] == hash_words(3, np.array([4], np.uint64))[0]
    assert len(concatenate(batch([]), batch([]))) == 0
    assert first.ids.tolist() == [5, 6, 7]
    assert list(second.annotations) == ["word_starts"]


@given(ragged(), ragged())
def test_concatenate_random_rows(left: list[list[int]], right: list[list[int]]) -> None:
    count = min(len(left), len(right))
    both = concatenate(batch(left[:count]), batch(right[:count]))
    rows = [a + b for a, b in zip(left[:count], right[:count], strict=True)]
    assert [both.row(i).ids.tolist() for i in range(count)] == rows
    sides = [[0] * len(a) + [1] * len(b) for a, b in zip(left, right, strict=False)]
    assert both.annotations["languages"].tolist() == [number for side in sides for number in side]


def test_mismatched_batches_raise() -> None:
    with pytest.raises(TokenError, match="have 2 and 1 rows"):
        concatenate(batch([[5], [6]]), batch([[7]]))
    with pytest.raises(
        TokenError, match="only one of the two batches has the annotations 'protected'"
    ):
        concatenate(batch([[5]]), batch([[6]], protected=[[True]]))


@pytest.mark.parametrize(
    ("annotations", "message"),
    [
        ({}, r"'tlm@1' requires the annotation 'languages', one value per token"),
        ({"languages": [[0, -2]]}, "sample 0, position 1 has -2"),
    ],
)
def test_bad_annotations(annotations: dict[str, Any], message: str) -> None:
    with pytest.raises(TokenError, match=message):
        maskplug.strategy("tlm")(batch([[5, 6]], **annotations), VOCAB)
