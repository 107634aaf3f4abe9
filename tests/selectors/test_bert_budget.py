"""Tests of the selector ``bert_budget``."""

from __future__ import annotations

import numpy as np
import pytest

from maskplug.selectors import BertBudget
from support.batches import ORDINARY, batch, fits, masks, select, uniform

N = 10_000


@pytest.mark.parametrize(
    ("length", "expected"), [(3, 1), (4, 1), (5, 1), (10, 2), (30, 4), (128, 19), (512, 20)]
)
def test_budget_matches_bert(length: int, expected: int) -> None:
    # The length counts [CLS] and [SEP]; 10 · 0.15 = 1.5 becomes 2, and 30 · 0.15 = 4.5 becomes 4.
    row = [2, *np.resize(ORDINARY, length - 2).tolist(), 3]
    mask = select(BertBudget(), batch([row] * 5)).mask.reshape(5, length)
    assert mask.sum(axis=1).tolist() == [expected] * 5


def test_every_subset_of_tokens_is_equally_likely() -> None:
    assert uniform(masks(BertBudget(0.3), N, 6), 15)


def test_word_order_is_uniform() -> None:
    tokens = batch([[6, 8, 10, 12, 14]] * N)  # five words of one token, and a budget of two
    assert uniform(select(BertBudget(0.4, unit="word"), tokens).mask.reshape(N, 5), 10)


def test_one_word_is_selected_uniformly_if_none_fits() -> None:
    tokens = batch([[6, 7, 9, 8, 11, 13, 10, 15, 17]] * N)
    mask = select(BertBudget(0.2, unit="word"), tokens).mask.reshape(N, 3, 3)
    assert (mask.all(axis=2).sum(axis=1) == 1).all()
    assert (mask.any(axis=2) == mask.all(axis=2)).all()
    assert fits(mask[:, :, 0].sum(axis=0), np.ones(3))
