"""Tests of the selector ``bert_budget``."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskplug import Rng
from maskplug.selectors import BertBudget
from support import reference as ref
from support import reference_masked_lm as mlm_ref
from support.batches import ORDINARY, PAD, VOCAB, batch, equal_rows, fits, ragged, seeds

N = 10_000
#: Words of 1, 2, 3, 1, 2, 3, … tokens.
ROW = [6, 8, 9, 10, 11, 13] * 7


def counts(selector: BertBudget, rows: list[list[int]]) -> list[int]:
    tokens = batch(rows)
    mask = selector.select(tokens, VOCAB, Rng.at(3, 0, tokens.keys)).mask
    return [int(row.sum()) for row in np.split(mask, tokens.offsets[1:-1])]


@given(ragged(), seeds, st.floats(0, 1), st.integers(1, 25), st.sampled_from(["token", "word"]))
def test_matches_reference(
    rows: list[list[int]], seed: int, rate: float, most: int, unit: Any
) -> None:
    tokens = batch(rows)
    selector = BertBudget(rate, most, unit)
    selection = selector.select(tokens, VOCAB, Rng.at(seed, 2, tokens.keys))
    expected = []
    for i, row in enumerate(rows):
        groups = ref.units_of(row, VOCAB.special, unit)
        budget = mlm_ref.bert_budget(len([x for x in row if x != PAD]), rate, most)
        sample = ref.Sample(seed, 2, i)
        if unit == "token":
            chosen = ref.exact(sample.words("exact", len(groups)), min(budget, len(groups)))
        else:
            drawn = sample.words("bert words", len(groups))
            chosen = mlm_ref.words_within(drawn, [len(group) for group in groups], budget)
        taken = [group for group, one in zip(groups, chosen, strict=True) if one]
        expected.extend(int(tokens.offsets[i]) + j for group in taken for j in group)
    assert np.flatnonzero(selection.mask).tolist() == expected


@pytest.mark.parametrize(
    ("length", "expected"), [(3, 1), (4, 1), (5, 1), (10, 2), (30, 4), (128, 19), (512, 20)]
)
def test_budget_matches_bert(length: int, expected: int) -> None:
    # The length counts [CLS] and [SEP]; 10 · 0.15 = 1.5 becomes 2, and 30 · 0.15 = 4.5 becomes 4.
    row = [2, *np.resize(ORDINARY, length - 2).tolist(), 3]
    assert counts(BertBudget(), [row] * 5) == [expected] * 5


@given(ragged(), seeds, st.integers(0, 5), st.integers(0, 200), st.sampled_from(["token", "word"]))
def test_padding_does_not_change_the_selection(
    rows: list[list[int]], seed: int, left: int, right: int, unit: Any
) -> None:
    def masked(padded: list[list[int]]) -> list[list[int]]:
        tokens = batch(padded)
        rng = Rng.at(seed, 0, tokens.keys)
        mask = BertBudget(unit=unit).select(tokens, VOCAB, rng).mask
        return [np.flatnonzero(row).tolist() for row in np.split(mask, tokens.offsets[1:])[:-1]]

    bare = masked(rows)
    padded = masked([[PAD] * left + row + [PAD] * right for row in rows])
    assert [[i - left for i in row] for row in padded] == bare


def test_budget_is_limited_to_maskable_tokens() -> None:
    assert counts(BertBudget(1.0), [[2, 7, 3], [2, 3], [], [2, 3, 4, 59]]) == [1, 0, 0, 0]


def test_every_subset_of_tokens_is_equally_likely() -> None:
    tokens = equal_rows(N, 6)
    mask = BertBudget(0.3).select(tokens, VOCAB, Rng.at(1, 0, tokens.keys)).mask
    codes = Counter((mask.reshape(-1, 6) @ (1 << np.arange(6))).tolist())
    assert len(codes) == 15
    assert fits(list(codes.values()), np.ones(15))


def test_words_that_exceed_the_budget_are_skipped() -> None:
    tokens = batch([ROW] * 2_000)
    selection = BertBudget(0.1, unit="word").select(tokens, VOCAB, Rng.at(1, 0, tokens.keys))
    chosen = selection.mask.reshape(2_000, 7, 6)
    assert (chosen[:, :, 1] == chosen[:, :, 2]).all()
    assert (chosen[:, :, 3] == chosen[:, :, 4]).all()
    # Words of one token fill the rest, so the budget of four is exact.
    assert (chosen.sum(axis=(1, 2)) == 4).all()


def test_word_order_is_uniform() -> None:
    tokens = batch([[6, 8, 10, 12, 14]] * N)  # five words of one token, and a budget of two
    selection = BertBudget(0.4, unit="word").select(tokens, VOCAB, Rng.at(1, 0, tokens.keys))
    codes = Counter((selection.mask.reshape(N, 5) @ (1 << np.arange(5))).tolist())
    assert len(codes) == 10
    assert fits(list(codes.values()), np.ones(10))


def test_one_word_is_selected_uniformly_if_none_fits() -> None:
    tokens = batch([[6, 7, 9, 8, 11, 13, 10, 15, 17]] * N)
    selection = BertBudget(0.2, unit="word").select(tokens, VOCAB, Rng.at(1, 0, tokens.keys))
    mask = selection.mask.reshape(N, 3, 3)
    assert (mask.all(axis=2).sum(axis=1) == 1).all()
    assert (mask.any(axis=2) == mask.all(axis=2)).all()
    assert fits(mask[:, :, 0].sum(axis=0), np.ones(3))
