"""Tests of the selector ``salient``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import maskplug
from maskplug.errors import TokenError
from maskplug.selectors import Salient, Spans
from support.batches import ORDINARY, VOCAB, batch, select, uniform

N = 6_000
ROW = [2, *ORDINARY[:9], 3]
LAYER = [0, 1, 1, 0, 2, 3, 3, 3, 0, 1, 0]
#: The spans of the annotation as positions; the two runs of 1 are different spans.
SPANS = [(1, 2), (4,), (5, 6, 7), (9,)]


def chosen(selector: Salient, rows: list[list[int]], annotations: list[list[int]]) -> list[Any]:
    tokens = batch(rows, salient=annotations)
    mask = select(selector, tokens).mask
    return [tuple(np.flatnonzero(row).tolist()) for row in np.split(mask, tokens.offsets[1:-1])]


def test_one_whole_span_per_sample() -> None:
    masks = chosen(Salient(), [ROW] * N, [LAYER] * N)
    assert set(masks) == set(SPANS)
    assert uniform(masks, 4)


def test_two_spans() -> None:
    masks = chosen(Salient(spans=2), [ROW] * N, [LAYER] * N)
    assert set(masks) == {(*a, *b) for i, a in enumerate(SPANS) for b in SPANS[i + 1 :]}
    assert uniform(masks, 6)
    assert set(chosen(Salient(spans=9), [ROW], [LAYER])) == {(1, 2, 4, 5, 6, 7, 9)}


def test_fallback_without_salient_spans() -> None:
    row = ORDINARY[:40]
    tokens = batch([row] * 50, salient=[[0] * 40] * 50)
    assert (select(Salient(), tokens).mask == select(Spans(), tokens).mask).all()
    assert not select(Salient(otherwise="nothing"), tokens).mask.any()
    mixed = chosen(Salient(), [row, ROW, row, []], [[0] * 40, LAYER, [0] * 40, []])
    assert len(mixed[0]) > 1
    assert mixed[1] in SPANS
    assert len(mixed[2]) > 1
    assert mixed[3] == ()


@pytest.mark.parametrize(
    ("annotations", "message"),
    [
        ({}, r"'salient@1' requires the annotation 'salient', one value per token"),
        ({"salient": [[0, -1]]}, r"non-negative integers; sample 0, position 1 has -1"),
        ({"salient": [[0.5, 1]]}, r"non-negative integers; sample 0, position 0 has 0.5"),
        ({"salient": [[1, float("nan")]]}, r"sample 0, position 1 has nan"),
    ],
)
def test_bad_annotations(annotations: dict[str, Any], message: str) -> None:
    with pytest.raises(TokenError, match=message):
        maskplug.strategy("salient")(batch([[5, 6]], **annotations), VOCAB)
