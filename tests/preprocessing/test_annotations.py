"""Tests of salient spans of characters or bytes, and of word starts from a segmenter."""

from __future__ import annotations

from typing import Any

import pytest

from maskplug import byte_offsets, salient_layer, segment_words
from maskplug.errors import TokenError

TEXT = "Zoë saw Wrocław in 1984, twice"
#: Special, "Zoë", "saw", "Wro", "cław", "in", "19", "84,", "twice", special.
WORDS = [(0, 3), (4, 7), (8, 11), (11, 15), (16, 18), (19, 21), (21, 24), (25, 30)]
OFFSETS = [(0, 0), *WORDS, (0, 0)]
CHINESE = "我喜欢北京 ok"
CHINESE_WORDS = ["我", "喜欢", "北京", " ", "ok"]


def test_tokens_inside_a_span_belong_to_it() -> None:
    numbers = salient_layer(OFFSETS, [(0, 3), (8, 15)])
    assert numbers.tolist() == [0, 1, 0, 2, 2, 0, 0, 0, 0, 0]
    assert numbers.dtype == "int64"


def test_tokens_beyond_a_span_do_not_belong_to_it() -> None:
    assert salient_layer(OFFSETS, [(19, 23)]).tolist() == [0] * 6 + [1] + [0] * 3


def test_adjacent_spans_have_different_numbers() -> None:
    assert salient_layer(OFFSETS, [(11, 15), (8, 11)]).tolist()[3:5] == [2, 1]


def test_no_spans_and_no_tokens() -> None:
    assert salient_layer(OFFSETS, []).tolist() == [0] * 10
    assert salient_layer([], []).tolist() == []


@pytest.mark.parametrize("span", [(20, 23), (0, 2), (7, 8), (0, 0), (99, 120)])
def test_span_without_a_whole_token_raises(span: tuple[int, int]) -> None:
    with pytest.raises(TokenError, match=rf"\({span[0]}, {span[1]}\) covers no whole token"):
        salient_layer(OFFSETS, [span])


def test_overlapping_spans_raise() -> None:
    with pytest.raises(TokenError, match=r"the spans \(8, 15\) and \(11, 18\) overlap"):
        salient_layer(OFFSETS, [(0, 3), (8, 15), (11, 18)])


def test_byte_offsets_of_non_ascii_text() -> None:
    data = TEXT.encode()
    spans = []
    for name in ("Zoë", "Wrocław", "1984"):
        start = data.index(name.encode())
        spans.append((start, start + len(name.encode())))
    assert spans == [(0, 4), (9, 17), (21, 25)]
    spans_in_characters = byte_offsets(TEXT, spans)
    assert [TEXT[a:b] for a, b in spans_in_characters] == ["Zoë", "Wrocław", "1984"]
    numbers = salient_layer(OFFSETS, spans_in_characters[:2])
    assert numbers.tolist() == [0, 1, 0, 2, 2, 0, 0, 0, 0, 0]
    # Bytes used as characters would mark half of the name.
    assert salient_layer(OFFSETS, spans[1:2]).tolist() == [0, 0, 0, 0, 1, 0, 0, 0, 0, 0]


@pytest.mark.parametrize("text", ["日本 の 東京", "naïve 🙂 café", "plain"])
def test_byte_offsets_round_trip(text: str) -> None:
    places = [(a, b) for b in range(len(text) + 1) for a in range(b + 1)]
    in_bytes = [(len(text[:a].encode()), len(text[:b].encode())) for a, b in places]
    assert byte_offsets(text, in_bytes) == places


@pytest.mark.parametrize(
    ("span", "message"),
    [
        ((0, 3), "begins or ends inside a character of 'Zoë'"),
        ((3, 4), "begins or ends inside a character"),
        ((0, 5), r"\(0, 5\) is no part of 4 bytes"),
        ((-1, 2), "is no part"),
        ((2, 1), "is no part"),
    ],
)
def test_bad_byte_spans(span: tuple[int, int], message: str) -> None:
    with pytest.raises(TokenError, match=message):
        byte_offsets("Zoë", [span])


def test_tokens_start_words_of_their_characters() -> None:
    offsets = [(0, 0), (0, 1), (1, 2), (2, 3), (3, 5), (6, 8), (0, 0)]
    starts = segment_words(CHINESE, offsets, lambda text: CHINESE_WORDS)
    assert starts.tolist() == [True, True, True, False, True, True, True]


def test_token_across_two_words_merges_them() -> None:
    starts = segment_words(CHINESE, [(0, 2), (2, 4), (4, 5)], lambda text: CHINESE_WORDS)
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
        ([*CHINESE_WORDS, "!"], "'!' at character 8"),
        (["我", 7], "returned 7; it must return a list of strings"),
    ],
)
def test_segmenter_that_changes_the_text_raises(words: list[Any], message: str) -> None:
    with pytest.raises(TokenError, match=message):
        segment_words(CHINESE, [(0, 1)], lambda text: words)


@pytest.mark.parametrize("offsets", [[(0, 99)], [(-1, 1)]])
def test_offsets_outside_the_text_raise(offsets: list[tuple[int, int]]) -> None:
    with pytest.raises(TokenError, match="of token 0 are outside of the text's 8 characters"):
        segment_words(CHINESE, offsets, lambda text: CHINESE_WORDS)
