"""Patterns that depend on positions only: padding, caches, and batches do not matter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import maskplug
from maskplug import MaskplugWarning

PATTERNS = [
    "window:left=3,right=1",
    "chunked:size=3,shift=1",
    "dilated:left=2,right=1,dilation=3",
    "strided:stride=3",
    "fixed:stride=4,summary=2",
    "global_tokens:positions=[1, -2]",
    "prefix:length=3",
    "block_diffusion:block=2",
    'alternating:patterns=["strided:stride=2", "fixed:stride=3"]',
]
every = pytest.mark.parametrize("text", PATTERNS)


def matrix(text: str, *lengths: int, **more: Any) -> Any:
    return maskplug.pattern(text).dense(*lengths, **more)[0, 0]


@every
@pytest.mark.parametrize(("left", "right"), [(1, 0), (4, 0), (5, 3), (0, 2)])
def test_padding_does_not_change_masks(text: str, left: int, right: int) -> None:
    inside = slice(left, left + 10)
    valid = [0] * left + [1] * 10 + [0] * right
    padded = matrix(text, len(valid), valid=valid)
    assert (padded[inside, inside] == matrix(text, 10)).all()


@every
@pytest.mark.parametrize("left", [0, 3])
def test_a_cache_gives_the_last_rows(text: str, left: int) -> None:
    valid = [0] * left + [1] * 10
    whole = matrix(text, len(valid), valid=valid)
    for offset in range(left + 10):
        queries = len(valid) - offset
        rows = matrix(text, queries, len(valid), offset=offset, valid=valid)
        assert (rows == whole[offset:]).all()


@pytest.mark.parametrize("text", [text for text in PATTERNS if "block_diffusion" not in text])
@pytest.mark.parametrize("left", [0, 3])
@pytest.mark.parametrize("left_queries", [0, 2])
def test_cross_attention_compares_own_positions(text: str, left: int, left_queries: int) -> None:
    plain = matrix(text, 6, 9, attention_kind="cross")
    padded = matrix(
        text,
        6 + left_queries,
        9 + left,
        attention_kind="cross",
        valid=[0] * left + [1] * 9,
        valid_queries=[0] * left_queries + [1] * 6,
    )
    assert (padded[left_queries:, left:] == plain).all()
    if "global" not in text:  # which has global queries, too, where queries are the keys
        assert (plain == matrix(text, 9)[:6]).all()


@every
def test_the_smallest_sizes(text: str) -> None:
    pattern = maskplug.pattern(text)
    assert pattern.dense(0).shape == (1, 1, 0, 0)
    nothing = np.zeros((1, 0), np.int64)
    assert maskplug.pattern(f"({text}) & padding").dense(0, valid=nothing).shape == (1, 1, 0, 0)
    if "global" in text:  # one token: position 1 is not there, and neither is the last but one
        with pytest.warns(MaskplugWarning, match="hides every key from 1 of 1 queries"):
            assert pattern.dense(1).tolist() == [[[[False]]]]
    elif "block" not in text:
        assert pattern.dense(1).tolist() == [[[[True]]]]
    assert pattern.dense(2).shape == (1, 1, 2, 2)


@every
def test_samples_do_not_affect_each_other(text: str) -> None:
    valid = np.zeros((3, 12), np.int64)
    spans = [(0, 12), (3, 11), (0, 4)]
    for row, (start, end) in zip(valid, spans, strict=True):
        row[start:end] = 1
    masks = maskplug.pattern(text).dense(12, valid=valid)[:, 0]
    for mask, (start, end) in zip(masks, spans, strict=True):
        assert (mask[start:end, start:end] == matrix(text, end - start)).all()
