"""Tests of collocation vocabularies: counts, scores, shares and files."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from math import log, prod
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import maskplug
from maskplug import Vocabulary
from maskplug.errors import OptionError
from maskplug.preprocessing.ngrams import (
    Collocation,
    collocations,
    count_frequent,
    sentences,
    write,
)
from support.batches import VOCAB, batch

Corpus = list[list[tuple[int, ...]]]
letters = st.sampled_from([(1,), (2,), (3, 4), (5,)])
corpora = st.lists(st.lists(letters, max_size=12), max_size=8)


def all_counts(corpus: Corpus, max_n: int) -> dict[int, Counter[Any]]:
    """Count every n-gram with plain loops."""
    return {
        n: Counter(tuple(row[i : i + n]) for row in corpus for i in range(len(row) - n + 1))
        for n in range(1, max_n + 1)
    }


def cuttings(gram: tuple[Any, ...]) -> Iterator[list[tuple[Any, ...]]]:
    """Yield all divisions of an n-gram into two or more parts."""
    n = len(gram)
    for code in range(1, 2 ** (n - 1)):
        cuts = [0, *(i + 1 for i in range(n - 1) if code >> i & 1), n]
        yield [gram[a:b] for a, b in pairwise(cuts)]


@given(corpora, st.integers(2, 5), st.integers(1, 4))
def test_frequent_counts_are_exact(corpus: Corpus, max_n: int, least: int) -> None:
    words, counts, _ = count_frequent(lambda: corpus, max_n, least)
    entries = {tuple(words[number] for number in gram): count for gram, count in counts.items()}
    expected = all_counts(corpus, max_n)
    every = ((gram, count) for table in expected.values() for gram, count in table.items())
    assert entries == {gram: count for gram, count in every if count >= least}


@given(corpora, st.integers(1, 3))
def test_pmi_is_the_minimum_over_all_divisions(corpus: Corpus, least: int) -> None:
    tables = all_counts(corpus, 5)

    def p(gram: tuple[Any, ...]) -> float:
        return tables[len(gram)][gram] / tables[len(gram)].total()

    for entry in collocations(lambda: corpus, 10**6, 5, least):
        scores = [log(p(entry.words) / prod(map(p, parts))) for parts in cuttings(entry.words)]
        assert entry.score == pytest.approx(min(scores))


def test_frequent_pair_explains_its_triple() -> None:
    # "2 3" always occur together, between arbitrary words.
    draw = random.Random(1)
    row: list[tuple[int, ...]] = []
    while len(row) < 4_000:
        row += [(2,), (3,)] if draw.random() < 0.1 else [(draw.randrange(10, 20),)]
    corpus = [row]
    entries = {entry.words: entry.score for entry in collocations(lambda: corpus, 10**6, 3, 20)}
    pair = entries[(2,), (3,)]
    triples = [score for words, score in entries.items() if len(words) == 3]
    assert pair == max(score for words, score in entries.items() if len(words) == 2)
    assert triples
    assert max(triples) < pair / 3


def test_best_ngrams_of_each_length() -> None:
    draw = random.Random(2)
    corpus = [[(draw.randrange(6),) for _ in range(40)] for _ in range(60)]
    everything = collocations(lambda: corpus, 10**6, 4, 2)
    entries = collocations(lambda: corpus, 16, 4, 2)
    assert Counter(len(entry.words) for entry in entries) == {2: 8, 3: 4, 4: 4}
    for n in (2, 3, 4):
        ranked = [entry for entry in everything if len(entry.words) == n]
        assert ranked == sorted(ranked, key=lambda entry: -entry.score)
        chosen = [entry for entry in entries if len(entry.words) == n]
        assert chosen == ranked[: len(chosen)]


def test_rare_ngrams_are_excluded() -> None:
    corpus = [[(1,), (2,)]] * 10 + [[(3,), (4,)]] * 11
    assert [entry.words for entry in collocations(lambda: corpus)] == [((3,), (4,))]
    assert collocations(lambda: corpus, min_count=12) == []
    assert collocations(list) == []


def test_corpus_is_read_once_per_length() -> None:
    begun = []

    def read() -> Iterator[list[tuple[int, ...]]]:
        begun.append(1)
        yield from [[(1,), (2,), (3,)]] * 20

    assert len(collocations(read, max_n=3)) == 3
    assert len(begun) == 3


def test_rows_are_split_at_special_tokens_and_sentences() -> None:
    tokens = batch([[2, 6, 7, 8, 3, 10], [], [12, 13]])
    assert list(sentences(tokens, VOCAB)) == [[(6, 7), (8,)], [(10,)], [(12, 13)]]
    marked = batch([[6, 8, 10, 12]], sentence_starts=[[True, False, True, False]])
    assert list(sentences(marked, VOCAB)) == [[(6,), (8,)], [(10,), (12,)]]
    stops = Vocabulary.from_pieces(["▁a", "▁b", "."])
    assert list(sentences(batch([[0, 1, 2, 0, 1]]), stops)) == [[(0,), (1, 2)], [(0,), (1,)]]
    assert list(sentences(batch([]), VOCAB)) == []


def test_strategy_pmi_reads_the_file(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    write(path, [Collocation(((6, 7), (8,)), 2.5), Collocation(((10,), (12,)), -0.25)])
    assert path.read_text() == "6 7 8\t2.500000\n10 12\t-0.250000\n"
    strategy = maskplug.strategy("pmi", ngrams=path, rate=1.0)
    masked = strategy(batch([[6, 7, 8, 10, 12, 14]]), VOCAB)
    assert masked.selection.lengths.tolist() == [3, 2, 1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 0}, "'size' is 0; it must be at least 1"),
        ({"max_n": 1}, "'max_n' is 1; it must be at least 2"),
        ({"min_count": 0}, "'min_count' is 0; it must be at least 1"),
    ],
)
def test_bad_options(options: dict[str, int], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        collocations(list, **options)
