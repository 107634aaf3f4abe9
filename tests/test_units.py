"""Tokens and words that can be chosen, and how many of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskplug import Rng, Vocabulary, budget, units
from maskplug.errors import TokenError, VocabularyError
from maskplug.schedule import Linear
from maskplug.units import contiguous, max_budget, merge_adjacent
from support import reference as ref
from support.batches import SPECIAL, VOCAB, batch, ragged, seeds


@given(ragged())
def test_tokens(rows: list[list[int]]) -> None:
    tokens = batch(rows)
    every = units(tokens, VOCAB)
    assert every.starts.tolist() == np.flatnonzero(~np.isin(tokens.ids, SPECIAL)).tolist()
    assert every.counts.tolist() == [sum(t not in SPECIAL for t in row) for row in rows]


@given(ragged())
def test_words_partition_the_maskable_tokens(rows: list[list[int]]) -> None:
    tokens = batch(rows)
    words = units(tokens, VOCAB, "word")
    assert (words.mask == units(tokens, VOCAB).mask).all()
    for i, row in enumerate(rows):
        free = [p for p, token in enumerate(row) if token not in SPECIAL]
        expected = ref.word_groups(free, {p for p in free if row[p] % 2 == 0})
        mine = slice(words.offsets[i], words.offsets[i + 1])
        spans = zip(words.starts[mine] - tokens.offsets[i], words.lengths[mine], strict=True)
        assert [list(range(start, start + length)) for start, length in spans] == expected


def test_a_word_ends_at_a_special_and_at_a_protected_token() -> None:
    tokens = batch([[6, 7, 3, 7, 7]], protected=[[False] * 4 + [True]])
    words = units(tokens, VOCAB, "word")
    assert (words.starts.tolist(), words.lengths.tolist()) == ([0, 3], [2, 1])


def test_words_from_joins_next_and_from_annotation() -> None:
    joins = Vocabulary(size=60, special_ids=SPECIAL, joins_next=np.arange(60) % 2 == 0)
    rows = [[6, 7, 8, 10, 11], [7, 6], [7, 9]]
    assert units(batch(rows), joins, "word").lengths.tolist() == [2, 3, 1, 1, 1, 1]
    layer = [[True, True, False, False, True], [False, False], [True, True]]
    tokens = batch(rows, word_starts=layer)
    assert units(tokens, joins, "word").lengths.tolist() == [1, 3, 1, 2, 1, 1]


def test_missing_word_boundaries_are_refused() -> None:
    with pytest.raises(VocabularyError, match="whole words need word boundaries"):
        units(batch([[5]]), Vocabulary(size=60), "word")


def test_ids_outside_the_vocabulary() -> None:
    for bad in (-1, 60, 2**40):
        with pytest.raises(TokenError, match=rf"id {bad} \(sample 2, position 1\).* 0 to 59"):
            units(batch([[5], [], [5, bad]]), VOCAB)


@given(ragged(), st.integers(0, 5), st.integers(0, 9))
def test_contiguous_units_match_the_reference(
    rows: list[list[int]], first: int, count: int
) -> None:
    tokens = batch(rows)
    every = units(tokens, VOCAB)
    chosen = contiguous(every, np.full(len(rows), first), np.full(len(rows), count))
    expected, single = [], []
    for row, start in zip(rows, tokens.offsets.tolist(), strict=False):
        free = [start + i for i, token in enumerate(row) if token not in SPECIAL]
        single += free[first : first + count]
    for place in single:
        row = np.searchsorted(tokens.offsets, place, side="right")
        if expected and expected[-1][0] == row and expected[-1][-1] == place - 1:
            expected[-1].append(place)
        else:
            expected.append([row, place])
    assert chosen.starts.tolist() == [run[1] for run in expected]
    assert chosen.lengths.tolist() == [len(run) - 1 for run in expected]
    assert chosen.counts.tolist() == [
        sum(run[0] == row + 1 for run in expected) for row in range(len(rows))
    ]
    again = merge_adjacent(chosen)
    assert again.starts.tolist() == chosen.starts.tolist()


@given(st.lists(st.integers(0, 300), min_size=1, max_size=6), seeds, st.floats(0, 1))
def test_budget_is_at_most_max_budget(counts: list[int], seed: int, rate: float) -> None:
    available = np.array(counts, np.int64)
    for high in (rate, Linear(0.0, rate)):
        rng = Rng.at(seed, 1, range(len(counts)), 1.0)
        drawn, bound = budget(high, available, rng), max_budget(high, available)
        assert (drawn <= bound).all()
        assert (bound <= np.maximum(np.ceil(rate * available), 0)).all()


@given(st.lists(st.integers(0, 50), max_size=6), seeds, st.floats(0, 1))
def test_budget_matches_the_reference(counts: list[int], seed: int, rate: float) -> None:
    budgets = budget(rate, np.array(counts, np.int64), Rng.at(seed, 1, range(len(counts))))
    expected = [ref.Sample(seed, 1, i).budget(rate, count) for i, count in enumerate(counts)]
    assert budgets.tolist() == expected


def test_budget_at_its_limits() -> None:
    rng = Rng.at(1, 0, range(4))
    available = np.array([0, 1, 7, 1000])
    assert budget(0.0, available, rng).tolist() == [0, 0, 0, 0]
    assert budget(1e-300, available, rng).tolist() == [0, 1, 1, 1]
    assert budget(1.0, available, rng).tolist() == available.tolist()


def test_budget_by_sample() -> None:
    rng = Rng.at(1, 0, range(3), np.array([0.0, 0.5, 1.0]))
    budgets = budget(Linear(0.5, 0.0), np.full(3, 40), rng)
    assert budgets.tolist() == [20, 10, 0]
