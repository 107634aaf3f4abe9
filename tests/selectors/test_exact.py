"""Tests of the selector ``exact``."""

from __future__ import annotations

import maskplug
from maskplug.selectors import Exact
from support.batches import VOCAB, batch, equal_rows, likely

N = 10_000


def test_budget_of_words_counts_words() -> None:
    tokens = equal_rows(N, 25)  # 5 | 6 7 | 8 9 | … | 28 29: thirteen words
    selection = Exact(0.5, unit="word").select(tokens, VOCAB, maskplug.Rng.at(1, 0, tokens.keys))
    assert set(selection.counts.tolist()) == {6, 7}
    assert likely((selection.counts == 7).sum(), N, 0.5)
    first = selection.mask.reshape(N, 25)[:, 0].sum()
    assert likely(first, N, 0.5)


def test_pairs_have_the_expected_frequency() -> None:
    tokens = equal_rows(N, 10)
    selection = Exact(0.3).select(tokens, VOCAB, maskplug.Rng.at(1, 0, tokens.keys))
    mask = selection.mask.reshape(N, 10)
    for i in range(9):
        assert likely((mask[:, i] & mask[:, i + 1]).sum(), N, 3 / 10 * 2 / 9)


def test_empty_and_special_rows() -> None:
    tokens = batch([[], [2, 3], [0] * 5, [7], [4, 4]])
    selection = Exact(1.0).select(tokens, VOCAB, maskplug.Rng.at(1, 0, tokens.keys))
    assert selection.counts.tolist() == [0, 0, 0, 1, 0]
