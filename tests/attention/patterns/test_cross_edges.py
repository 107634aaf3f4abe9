"""Patterns of cross attention with few or no tokens."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import maskplug

TEXTS = ["wait_k:k=2", "wait_k:k=1,most=4", "monotonic", "aligned", "aligned:fallback=nearest"]
every = pytest.mark.parametrize("text", TEXTS)


def annotations(queries: int, **more: Any) -> dict[str, Any]:
    return {"sources_read": np.zeros(queries, int), "links": [[]], **more}


@every
def test_one_query_and_one_key(text: str) -> None:
    assert maskplug.pattern(text).dense(1, 1, attention_kind="cross", **annotations(1)).all()


@every
@pytest.mark.parametrize("keys", [0, 3])
def test_no_queries(text: str, keys: int) -> None:
    assert maskplug.pattern(text).dense(0, keys, attention_kind="cross", **annotations(0)).size == 0


@every
def test_no_keys(text: str) -> None:
    with pytest.warns(maskplug.MaskplugWarning, match="hides every key from 3 of 3"):
        seen = maskplug.pattern(text).dense(3, 0, attention_kind="cross", **annotations(3))
    assert seen.shape == (1, 1, 3, 0)


@every
def test_a_sample_of_padding_does_not_affect_others(text: str) -> None:
    valid = {"valid": [[0, 0, 0], [1, 1, 1]], "valid_queries": [[0, 0], [1, 1]]}
    seen = maskplug.pattern(text).dense(
        2, 3, attention_kind="cross", **annotations(2, **valid), keys=[5, 7]
    )
    assert not seen[0].any()
    alone = maskplug.pattern(text).dense(2, 3, attention_kind="cross", **annotations(2), keys=[7])
    assert (seen[1] == alone[0]).all()


@every
def test_fallback_first_without_a_source(text: str) -> None:
    empty = annotations(2, valid=[[0, 0, 0]])
    seen = maskplug.pattern(text).dense(2, 3, attention_kind="cross", fallback="first", **empty)
    assert seen[0, 0].astype(int).tolist() == [[1, 0, 0], [1, 0, 0]]
