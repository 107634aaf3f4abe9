"""aligned: cross attention along a word alignment, and parsing of alignments."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import maskplug
from maskplug.attention import Aligned, links
from maskplug.errors import TokenError

LINKS = [[(4, 1), (0, 1), (5, 2), (0, 4)]]


def visible(result: Any = LINKS, targets: int = 6, sources: int = 7, **options: Any) -> Any:
    """The source tokens that each target token of the first sample sees."""
    seen = Aligned(**options).dense(targets, sources, attention_kind="cross", links=result)
    return [np.flatnonzero(row).tolist() for row in seen[0, 0]]


ALL = list(range(7))


def test_links_and_their_radius() -> None:
    assert visible() == [ALL, [0, 4], [5], ALL, [0], ALL]
    assert visible(radius=1) == [ALL, [0, 1, 3, 4, 5], [4, 5, 6], ALL, [0, 1], ALL]
    assert visible(radius=2)[1] == ALL
    assert visible(radius=99) == [ALL] * 6


def test_fallback_nearest() -> None:
    assert visible(fallback="nearest") == [[0, 4], [0, 4], [5], [5], [0], [0]]


@pytest.mark.parametrize("fallback", ["full", "nearest"])
@pytest.mark.parametrize("none", [[[]], [[(-1, -1)]], [np.zeros((0, 2), int)]])
def test_without_links_everything_is_visible(fallback: str, none: Any) -> None:
    assert visible(none, fallback=fallback) == [ALL] * 6


def test_order_and_repetition_of_links_do_not_matter() -> None:
    twice = [[*LINKS[0][::-1], *LINKS[0]]]
    assert visible(twice, radius=1) == visible(radius=1)


@pytest.mark.parametrize("fallback", ["full", "nearest"])
def test_no_row_is_empty(fallback: str) -> None:
    rng = np.random.default_rng(1)
    result = [[(rng.integers(9), rng.integers(12)) for _ in range(n)] for n in range(25)]
    seen = Aligned(radius=1, fallback=fallback).dense(12, 9, attention_kind="cross", links=result)
    assert seen.shape == (25, 1, 12, 9)
    assert seen.any(-1).all()
    for row, pairs in zip(seen[:, 0], result, strict=True):
        assert all(row[target, source] for source, target in pairs)


def test_radius_follows_a_schedule() -> None:
    shrinking = maskplug.pattern("aligned(radius=linear(4, 0))")
    masks = [
        shrinking.dense(6, 7, attention_kind="cross", progress=at, links=LINKS)
        for at in (0, 0.5, 1)
    ]
    assert [int(mask[0, 0, 2].sum()) for mask in masks] == [6, 4, 1]
    assert all((a >= b).all() for a, b in pairwise(masks))


def test_links_count_from_the_first_real_token() -> None:
    padding = {"valid": [[0, 0, 1, 1, 1], [1] * 5], "valid_queries": [[0, 1, 1], [1] * 3]}
    ragged = [[(0, 1), (2, 1)], [(4, 0)]]
    seen = Aligned().dense(3, 5, attention_kind="cross", links=ragged, **padding)[:, 0].astype(int)
    assert seen[0].tolist() == [[0, 0, 1, 1, 1], [0, 0, 1, 1, 1], [0, 0, 1, 0, 1]]
    assert seen[1].tolist() == [[0, 0, 0, 0, 1], [1] * 5, [1] * 5]


def test_one_list_is_used_for_all_samples() -> None:
    seen = Aligned().dense(
        2, 3, attention_kind="cross", keys=[1, 2], links=[[(2, 0)]], valid=[[1] * 3] * 2
    )
    assert seen.shape[0] == 2
    assert (seen[0] == seen[1]).all()


def test_links_are_parsed_from_text() -> None:
    assert links("0-0 1-2\n\n  12-3\t4-5 \r\n") == [[(0, 0), (1, 2)], [], [(12, 3), (4, 5)]]
    assert links("") == links("\n") == [[]]
    assert visible(links("4-1 0-1 5-2 0-4")) == visible()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0-0 1_2", "'1_2' in line 1, column 5 is no link"),
        ("0-0\n\n1-2  3-", "'3-' in line 3, column 6 is no link"),
        ("-1-0", "'-1-0' in line 1, column 1"),
        ("0-0-1", "look like '3-0'"),
        ("²-0", "is no link"),
    ],
)
def test_errors_of_links_name_the_position(text: str, message: str) -> None:
    with pytest.raises(TokenError, match=message):
        links(text)
