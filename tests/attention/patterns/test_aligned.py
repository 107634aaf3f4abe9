"""aligned: cross attention along a word alignment, and parsing of alignments."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from maskplug.attention import Aligned, links
from maskplug.errors import TokenError

LINKS = [[(4, 1), (0, 1), (5, 2), (0, 4)]]


def visible(result: Any = LINKS, targets: int = 6, sources: int = 7, **options: Any) -> Any:
    """The source tokens that each target token of the first sample sees."""
    mask = Aligned(**options).dense(targets, sources, attention_kind="cross", links=result)
    return [np.flatnonzero(row).tolist() for row in mask[0, 0]]


ALL = list(range(7))


def test_fallback_nearest() -> None:
    assert visible(fallback="nearest") == [[0, 4], [0, 4], [5], [5], [0], [0]]


@pytest.mark.parametrize("fallback", ["full", "nearest"])
@pytest.mark.parametrize("none", [[[]], [[(-1, -1)]], [np.zeros((0, 2), int)]])
def test_without_links_everything_is_visible(fallback: str, none: Any) -> None:
    assert visible(none, fallback=fallback) == [ALL] * 6


def test_order_and_repetition_of_links_do_not_matter() -> None:
    twice = [[*LINKS[0][::-1], *LINKS[0]]]
    assert visible(twice, radius=1) == visible(radius=1)


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
