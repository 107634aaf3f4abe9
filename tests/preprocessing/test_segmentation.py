"""Tests of word starts from a segmenter."""

from __future__ import annotations

from typing import Any

import pytest

from maskplug import segment_words
from maskplug.errors import TokenError

TEXT = "我喜欢北京 ok"
WORDS = ["我", "喜欢", "北京", " ", "ok"]


def test_tokens_start_words_of_their_characters() -> None:
    offsets = [(0, 0), (0, 1), (1, 2), (2, 3), (3, 5), (6, 8), (0, 0)]
    starts = segment_words(TEXT, offsets, lambda text: WORDS)
    assert starts.tolist() == [True, True, True, False, True, True, True]


def test_token_across_two_words_merges_them() -> None:
    starts = segment_words(TEXT, [(0, 2), (2, 4), (4, 5)], lambda text: WORDS)
    assert starts.tolist() == [True, False, False]


def test_byte_tokens_of_a_character_stay_together() -> None:
    starts = segment_words("我们", [(0, 1), (0, 1), (0, 1), (1, 2)], list)
    assert starts.tolist() == [True, False, False, True]


@pytest.mark.parametrize("text", ["", "我"])
def test_no_tokens(text: str) -> None:
    assert segment_words(text, [], list).tolist() == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["我", "喜欢"], r"another text: '' at character 3, where the text has '北京 ok'"),
        (["我喜欢北京", "ok"], "'ok' at character 5, where the text has ' ok'.*keep_whitespace"),
        ([*WORDS, "!"], "'!' at character 8"),
        (["我", 7], "returned 7; it must return a list of strings"),
    ],
)
def test_segmenter_that_changes_the_text_raises(words: list[Any], message: str) -> None:
    with pytest.raises(TokenError, match=message):
        segment_words(TEXT, [(0, 1)], lambda text: words)


@pytest.mark.parametrize("offsets", [[(0, 99)], [(-1, 1)]])
def test_offsets_outside_the_text_raise(offsets: list[tuple[int, int]]) -> None:
    with pytest.raises(TokenError, match="of token 0 are outside of the text's 8 characters"):
        segment_words(TEXT, offsets, lambda text: WORDS)
