"""Tests of the selector ``in_dictionary``."""

from __future__ import annotations

from maskplug.preprocessing.resource import Resource
from maskplug.selectors import InDictionary
from support.batches import batch, likely, select
from support.cases import RICH
from support.denoising import DICTIONARY, spans_of

FILE = Resource.of(DICTIONARY)
#: Words 6 7, 8, 6, 10 11, 12 13, 8 9: the first, second and fourth are in the dictionary.
ROW = [2, 6, 7, 8, 6, 10, 11, 12, 13, 8, 9, 3]


def selected(rate: float, rows: list[list[int]]) -> list[list[tuple[int, int]]]:
    tokens = batch(rows)
    return spans_of(select(InDictionary(FILE, rate), tokens, 3, vocab=RICH), tokens)


def test_only_words_of_the_dictionary_are_selected() -> None:
    assert selected(1.0, [ROW, [], [3], [12, 13]]) == [[(1, 2), (3, 1), (5, 2)], [], [], []]
    assert selected(0.0, [ROW]) == [[]]


def test_words_are_selected_independently() -> None:
    rows = selected(0.3, [ROW] * 4_000)
    hits = [sum(span in row_spans for row_spans in rows) for span in ((1, 2), (3, 1), (5, 2))]
    assert all(likely(hit, 4_000, 0.3) for hit in hits)
    assert likely(sum(len(row_spans) == 3 for row_spans in rows), 4_000, 0.027)
