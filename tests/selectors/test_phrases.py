"""Tests of the selector ``phrases``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import maskplug
from maskplug import Rng
from maskplug.errors import OptionError, VocabularyError
from maskplug.preprocessing.resource import Resource
from maskplug.selectors import Phrases
from support.batches import VOCAB, batch, fits, likely, ngram_file, select

N = 6_000


def phrases(tmp_path: Path, *entries: list[int], rate: float = 0.15) -> Phrases:
    return Phrases(ngram_file(tmp_path, entries), rate)


def units_of(selector: Phrases, row: list[int], samples: int = 1) -> list[list[list[int]]]:
    tokens = batch([row] * samples)
    units = selector.units(tokens, VOCAB, Rng.at(1, 0, tokens.keys))
    spans = [
        tokens.ids[start : start + length].tolist()
        for start, length in zip(units.starts, units.lengths, strict=True)
    ]
    return [spans[a:b] for a, b in zip(units.offsets, units.offsets[1:], strict=False)]


def test_longest_entry_wins(tmp_path: Path) -> None:
    selector = phrases(tmp_path, [6, 8], [8, 10], [6, 8, 10])
    assert units_of(selector, [12, 6, 8, 10, 14]) == [[[12], [6, 8, 10], [14]]]
    assert units_of(selector, [6, 8, 12]) == [[[6, 8], [12]]]


def test_phrases_match_word_boundaries(tmp_path: Path) -> None:
    selector = phrases(tmp_path, [7, 8], [6, 7, 8], [10, 12])
    assert units_of(selector, [6, 7, 8]) == [[[6, 7, 8]]]
    assert units_of(selector, [6, 7, 8, 9]) == [[[6, 7], [8, 9]]]
    assert units_of(selector, [4, 7, 8]) == [[[7, 8]]]  # a word that begins behind a special
    assert units_of(selector, [6, 7, 7, 8]) == [[[6, 7, 7], [8]]]
    assert units_of(selector, [10, 12, 13]) == [[[10], [12, 13]]]


def test_phrases_do_not_cross_special_tokens_or_rows(tmp_path: Path) -> None:
    selector = phrases(tmp_path, [6, 8])
    assert units_of(selector, [6, 3, 8, 6]) == [[[6], [8], [6]]]
    tokens = batch([[6], [8], [6, 8]])
    units = selector.units(tokens, VOCAB, Rng.at(1, 0, tokens.keys))
    assert units.lengths.tolist() == [1, 1, 2]


def test_one_of_overlapping_phrases_is_drawn(tmp_path: Path) -> None:
    drawn = Counter(str(row) for row in units_of(phrases(tmp_path, [6, 8], [8, 10]), [6, 8, 10], N))
    assert set(drawn) == {"[[6, 8], [10]]", "[[6], [8, 10]]"}
    assert likely(drawn["[[6, 8], [10]]"], N, 0.5)


def test_three_overlapping_phrases(tmp_path: Path) -> None:
    # The middle phrase is first in a third of the orders, and excludes both others.
    selector = phrases(tmp_path, [6, 8], [8, 10], [10, 12])
    drawn = Counter(str(row) for row in units_of(selector, [6, 8, 10, 12], N))
    both, middle = "[[6, 8], [10, 12]]", "[[6], [8, 10], [12]]"
    assert set(drawn) == {both, middle}
    assert likely(drawn[both], N, 2 / 3)


def test_phrases_and_words_are_equally_likely(tmp_path: Path) -> None:
    selector = phrases(tmp_path, [6, 8], [10, 12], rate=0.05)
    units = select(selector, batch([[6, 8, 10, 12, 14, 16]] * N))
    assert set(units.counts.tolist()) == {1}
    firsts = np.bincount(units.starts % 6, minlength=6)
    assert fits(firsts[[0, 2, 4, 5]], np.ones(4))


def test_replacement_is_decided_per_phrase(tmp_path: Path) -> None:
    path = phrases(tmp_path, [6, 8, 10]).ngrams.path
    strategy = maskplug.strategy("pmi", ngrams=path, rate=1.0, mask=0.5, random=0.0)
    masked = strategy(batch([[6, 8, 10]] * N), VOCAB, seed=1)
    hidden = (masked.inputs.values == 4).reshape(N, 3)
    assert (hidden.all(axis=1) == hidden.any(axis=1)).all()
    assert likely(hidden[:, 0].sum(), N, 0.5)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("6 8\nsix eight\n", r"bad\.txt, line 2: 'six eight' is no n-gram"),
        ("6 8\n\n7 9\n", r"line 2: '' is no n-gram \(an n-gram has one or more ids"),
        ("6 -8\n", r"line 1: .* none of them negative"),
        ("6 8\thigh\n", r"line 1: .*could not convert string to float: 'high'"),
        (b"6 8\n\xff\n", r"bad\.txt, line 2: not UTF-8"),
    ],
)
def test_bad_files(tmp_path: Path, content: Any, message: str) -> None:
    path = tmp_path / "bad.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(OptionError, match=message):
        maskplug.strategy("pmi", ngrams=path)


def test_scores_and_empty_files_are_accepted(tmp_path: Path) -> None:
    path = tmp_path / "scored.txt"
    path.write_text("6 8\t3.25\n10 12\t-1e-3\n")
    assert units_of(Phrases(Resource.of(path)), [6, 8, 10]) == [[[6, 8], [10]]]
    path = tmp_path / "empty.txt"
    path.write_text("")
    assert units_of(Phrases(Resource.of(path)), [6, 7, 8]) == [[[6, 7], [8]]]


def test_ids_outside_the_vocabulary_raise(tmp_path: Path) -> None:
    selector = phrases(tmp_path, [6, 8], [8, 60])
    with pytest.raises(VocabularyError, match=r"line 2: id 60 .* from 0 to 59; was the list made"):
        units_of(selector, [6, 8])
