"""Tests of the selector ``words``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import maskplug
from maskplug.errors import VocabularyError
from maskplug.selectors import Words
from support.batches import batch, likely, select

N = 5_000
#: Words of 1, 2, 3, 1, 2, 3, … tokens by the table of VOCAB.
ROW = [6, 8, 9, 10, 11, 13] * 7


def counts(row: list[int], rate: float, samples: int = N) -> Any:
    tokens = batch([row] * samples)
    return select(Words(rate), tokens).mask.reshape(samples, len(row)).sum(axis=1)


@pytest.mark.parametrize("rate", [0.1, 0.15, 0.31, 0.5, 0.95])
def test_mean_number_of_tokens_is_the_budget(rate: float) -> None:
    chosen = counts(ROW, rate)
    budget = rate * len(ROW)
    assert abs(chosen - budget).max() < 1 + 2  # rounding, and a word of three
    error = chosen.std() / np.sqrt(N)
    assert abs(chosen.mean() - budget) < 4 * error
    assert error < 0.05


def test_words_of_equal_length_are_equally_likely() -> None:
    mask = select(Words(0.3), batch([ROW] * N)).mask.reshape(N, 7, 6)
    rate = mask.mean(axis=(0, 1))
    for word in (0, 1, 3):
        assert all(likely(hits, N, rate[word]) for hits in mask[:, :, word].sum(axis=0))


def test_single_word_longer_than_the_budget() -> None:
    assert set(counts([6, 7, 7, 7, 7, 7], 0.15, 20).tolist()) == {6}


def test_words_from_annotation() -> None:
    bare = maskplug.Vocabulary(size=60, mask_id=4)
    starts = [[True, False, False, False] * 3]
    tokens = batch([list(range(10, 22))] * 40, word_starts=starts * 40)
    mask = select(Words(0.3), tokens, vocab=bare).mask.reshape(40, 3, 4)
    assert (mask.all(axis=2) == mask.any(axis=2)).all()
    assert 0 < mask.mean() < 1


def test_missing_word_starts_raise() -> None:
    bare = maskplug.Vocabulary(size=60, mask_id=4)
    with pytest.raises(VocabularyError, match=r"word_start or joins_next.*'word_starts'"):
        maskplug.strategy("whole_word")(batch([[5, 6]]), bare)
