"""Where words begin: the rule of pairs against its definition, and what it never does."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskplug import Vocabulary, units
from maskplug.vocabulary.characters import Edge, beginning, byte_edges, ending
from maskplug.vocabulary.words import BY_CLASSES, BY_MARKS, WordRule, with_scripts
from support.batches import batch

SIZE = 40
SPECIAL = [0, 1]
rows = st.lists(st.lists(st.integers(0, SIZE - 1), max_size=12), max_size=5)
edge_rows = st.lists(st.sampled_from(list(Edge)[1:]), min_size=SIZE, max_size=SIZE)
TEXTS = [
    "héllo wörld",
    "我喜欢在北京",
    "ภาษาไทย",
    "ລາວ",
    "ខ្មែរ",
    "မြန်မာ",
    "かなカナ",
    "a1 我b",
    "🙂 ok",
]


@given(rows, edge_rows, edge_rows, st.sampled_from([BY_MARKS, BY_CLASSES]))
def test_words_match_the_pairwise_rule(
    many: list[list[int]], first: list[Edge], last: list[Edge], joins: np.ndarray
) -> None:
    rule = WordRule(np.array(first), np.array(last), with_scripts(joins))
    vocab = Vocabulary(size=SIZE, special_ids=SPECIAL, word_rule=rule)
    tokens = batch(many)
    begins, lengths = [], []
    for row in many:
        for i, token in enumerate(row):
            ordinary = token not in SPECIAL
            goes_on = ordinary and i > 0 and row[i - 1] not in SPECIAL
            goes_on = goes_on and rule.joins[last[row[i - 1]], first[token]]
            begins.append(not goes_on)
            if ordinary and not goes_on:
                lengths.append(0)
            if ordinary:
                lengths[-1] += 1
    assert vocab.word_starts(tokens).tolist() == begins
    assert units(tokens, vocab, "word").lengths.tolist() == lengths


@pytest.mark.parametrize("make", [WordRule.from_starts, WordRule.from_joins])
@given(table=st.lists(st.booleans(), min_size=SIZE, max_size=SIZE), many=rows)
def test_word_start_and_joins_next_are_special_cases_of_the_rule(
    make: Any, table: list[bool], many: list[list[int]]
) -> None:
    starts = make == WordRule.from_starts
    rule = make(table)
    for row in many:
        expected = [not table[b] if starts else table[a] for a, b in pairwise(row)]
        pairs = [rule.joins[rule.last[a], rule.first[b]] for a, b in pairwise(row)]
        assert pairs == expected
    special = np.zeros(SIZE, np.bool_)
    name = "word_start" if starts else "joins_next"
    simplest = rule.simplest(special)
    if len(set(table)) == 2:
        assert simplest[name].tolist() == table


def test_protected_tokens_end_words_of_a_rule() -> None:
    vocab = Vocabulary.from_pieces(["▁a", "b", "我", "们"])
    tokens = batch([[0, 1, 1, 1]], protected=[[False, True, False, False]])
    assert units(tokens, vocab, "word").lengths.tolist() == [1, 2]


def cut(data: bytes, places: set[int]) -> list[bytes]:
    edges = [0, *sorted(place for place in places if 0 < place < len(data)), len(data)]
    return [data[a:b] for a, b in pairwise(edges)]


@given(st.sampled_from(TEXTS), st.sets(st.integers(1, 60)), st.sampled_from([BY_MARKS, BY_CLASSES]))
def test_characters_are_never_split(text: str, places: set[int], joins: np.ndarray) -> None:
    full = with_scripts(joins)
    parts = cut(text.encode(), places)
    done = 0
    for part, following in pairwise(parts):
        done += len(part)
        last, first = byte_edges(part)[1], byte_edges(following)[0]
        if text.encode()[done] & 0xC0 == 0x80:  # the next part begins inside a character
            assert full[last, first], (part, following)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("aé̄", "LETTER LETTER EXTEND"),
        ("1²½", "DIGIT DIGIT DIGIT"),
        (",。、", "SYMBOL SYMBOL SYMBOL"),
        ("我々ひ", "IDEOGRAPH IDEOGRAPH IDEOGRAPH"),
        ("ンーｱ", "KATAKANA EXTEND KATAKANA"),
        ("กิาเ", "COMPLEX EXTEND EXTEND COMPLEX"),
        ("ລັະ", "COMPLEX EXTEND EXTEND"),
        ("ក្ាမု", "COMPLEX EXTEND EXTEND COMPLEX EXTEND"),
        ("한हعж", "LETTER LETTER LETTER LETTER"),
        ("\n\t\u00a0\u200b", "NEWLINE SPACE SPACE SPACE"),
    ],
)
def test_classes_of_characters(text: str, kinds: str) -> None:
    assert [beginning(char).name for char in text] == kinds.split()


@pytest.mark.parametrize(
    ("text", "kind"),
    [("ကု", Edge.COMPLEX), ("เ", Edge.LEADING), ("ក្", Edge.LEADING), ("a\u0301", Edge.LETTER)],
)
def test_last_edge_ignores_combining_marks(text: str, kind: Edge) -> None:
    assert ending(text) == kind
