"""FlashMask's columns, read back by its rules."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import maskplug
from maskplug import pattern
from maskplug.attention import FlashMask, Intervals
from support.attention_cases import CASES, IDS
from support.scenes import Case, scene


def matrix(mask: FlashMask, queries: int) -> Any:
    """What the columns mean, number by number."""
    columns, causal = mask
    numbers = columns.shape[-1]
    assert numbers in ((1, 2) if causal else (2, 4))
    r = columns[:, :, None]  # against the queries, down the matrix
    query, key = np.ogrid[:queries, : columns.shape[2]]
    if causal:
        end = r[..., 1] if numbers == 2 else queries
        return (query >= key) & ~((r[..., 0] <= query) & (query < end))
    if numbers == 2:
        return (query < r[..., 0]) & (query >= r[..., 1])
    lower = (r[..., 0] <= query) & (query < r[..., 1])
    return ~lower & ~((r[..., 2] <= query) & (query < r[..., 3]))


def most_runs(dense: Any) -> int:
    """The most runs of queries that any key is hidden from."""
    padded = np.pad(dense, ((0, 0), (0, 0), (1, 0), (0, 0)), constant_values=True)
    return int((padded[..., :-1, :] & ~padded[..., 1:, :]).sum(2).max())


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_columns_mean_what_the_matrix_says(case: Case) -> None:
    rng = np.random.default_rng(9)
    for where in (scene(case, rng) for _ in range(200)):
        dense = case.pattern.dense(**where.arguments)
        if most_runs(dense) > 2:
            with pytest.raises(maskplug.OptionError, match="hides key"):
                case.pattern.flashmask(**where.arguments)
            continue
        mask = case.pattern.flashmask(**where.arguments)
        columns = mask.startend_row_indices
        assert columns.dtype == np.int32
        assert columns.min(initial=0) >= 0
        assert columns.max(initial=0) <= where.q_len
        assert (matrix(mask, where.q_len) == dense).all(), where


pytestmark = pytest.mark.filterwarnings("ignore:pattern .* hides every key")
FORMS = [
    ("causal", 1, True),
    ("window:left=2", 1, True),
    ("causal & document", 1, True),
    ("causal & (sink:n=1 | window:left=2)", 1, True),
    ("causal & ~window:left=1", 2, True),
    ("full", 2, False),
    ("document", 2, False),
    ("window:left=2,right=1", 2, False),
    ("padding", 2, False),
    ("causal & padding", 1, True),
    ("~window:left=1,right=1", 4, False),
]


@pytest.mark.parametrize(("text", "numbers", "causal"), FORMS, ids=[form[0] for form in FORMS])
def test_the_smallest_form_is_taken(text: str, numbers: int, causal: bool) -> None:
    annotations = {"documents": np.arange(9) // 4, "valid": np.arange(9) < 8}
    made = pattern(text).flashmask(9, **annotations)
    assert (made.startend_row_indices.shape[-1], made.causal) == (numbers, causal)


#: The masks that FlashMask's documentation draws, and the numbers that it writes over them.
DRAWN = [
    ("causal & document", True, [[4]] * 4 + [[7]] * 3 + [[10]] * 3),
    ("document", False, [[4, 0]] * 4 + [[7, 4]] * 3 + [[10, 7]] * 3),
    (
        "causal & (sink:n=1 | window:left=2)",
        True,
        [[10], [4], [5], [6], [7], [8], [9], [10], [10], [10]],
    ),
    ("shared question", True, [[4, 7]] * 4 + [[10, 10]] * 6),
    ("global tokens", False, [[10, 10, 0, 0]] * 3 + [[k, 10, 3 * (k > 3), k * (k > 3)]
                                                     for k in range(3, 10)]),
    ("evicted keys", True, [[r] for r in (10, 4, 8, 6, 10, 7, 10, 9, 10, 10)]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "causal", "numbers"), DRAWN, ids=[drawn[0] for drawn in DRAWN])
def test_the_masks_of_its_documentation(text: str, causal: bool, numbers: list[list[int]]) -> None:
    query, key = np.ogrid[:10, :10]
    others = {
        "shared question": (key <= query) & ~((key < 4) & (query >= 4) & (query < 7)),
        "global tokens": (key < 3) | (query < 3),
        "evicted keys": (key <= query) & (query < np.array(numbers)[:, 0]),
    }
    if text in others:
        made = FlashMask.of(Intervals.of_mask(others[text][None, None]), text)
    else:
        made = pattern(text).flashmask(10, documents=np.repeat([0, 1, 2], [4, 3, 3]))
    assert made.causal == causal
    assert made.startend_row_indices[0, 0].tolist() == numbers


def test_runs_stay_on_their_side_of_the_diagonal_where_they_can() -> None:
    rows, causal = pattern("~window:left=1,right=1").flashmask(7)
    own = np.arange(7)
    assert not causal
    r1, r2, r3, r4 = rows[0, 0].T
    assert ((r1 >= own) & (r1 <= r2)).all()
    assert ((r4 <= own) & (r3 <= r4)).all()


def test_causal_forms_need_as_many_queries_as_keys() -> None:
    for offset in (0, 4):
        arguments = {"q_len": 5, "kv_len": 9, "offset": offset}
        mask = pattern("causal").flashmask(**arguments)
        assert not mask.causal
        assert (matrix(mask, 5) == pattern("causal").dense(**arguments)).all()


def test_a_mask_beyond_the_form_is_refused_by_key_and_runs() -> None:
    text = (
        r"pattern document hides key 1 \(sample 1, head 0\) from 3 runs of queries, "
        r"\[0, 1\), \[2, 3\), \[4, 5\); FlashMask's columns hold two"
    )
    documents = [[0, 0, 0, 0, 0, 0], [0, 1, 0, 1, 0, 1]]
    with pytest.raises(maskplug.OptionError, match=text):
        pattern("document").flashmask(6, documents=documents)


def test_no_tokens() -> None:
    assert pattern("causal").flashmask(0).startend_row_indices.shape == (1, 1, 0, 1)
