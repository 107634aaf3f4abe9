"""Tests of the selector ``suffix``."""

from __future__ import annotations

import numpy as np
import pytest

from maskplug import Rng
from maskplug.schedule import Linear
from maskplug.selectors import Suffix
from support.batches import VOCAB, batch, fits, masks, select

N = 20_000


@pytest.mark.parametrize(
    ("rate", "length", "shortest"),
    [(0.5, 20, 1), (0.25, 20, 10), (0.25, 2, 1), (0.1, 50, 39), (0.5, 2, 1)],
)
def test_prefix_length_is_uniform(rate: float, length: int, shortest: int) -> None:
    hidden = masks(Suffix(rate), N, length).sum(axis=1)
    counts = np.bincount(length - hidden, minlength=length)
    assert counts[:shortest].sum() == 0
    assert len(counts) == length
    assert length - shortest == 1 or fits(counts[shortest:], np.ones(length - shortest))


def test_no_empty_side_and_rows_of_one_token() -> None:
    rows = [[6] * n for n in range(12)] * 20
    for rate in (0.01, 0.25, 0.5):
        tokens = batch(rows)
        mask = select(Suffix(rate), tokens).mask
        for i, row in enumerate(rows):
            hidden = int(mask[tokens.offsets[i] : tokens.offsets[i + 1]].sum())
            assert hidden == len(row) if len(row) < 2 else 0 < hidden < len(row)


def test_special_tokens_and_schedule_to_zero() -> None:
    tokens = batch([[2, 6, 8, 3, 9, 3]] * 50)
    assert not select(Suffix(0.5), tokens).mask[tokens.ids == 3].any()
    rng = Rng.at(1, 0, tokens.keys, np.linspace(0, 1, 50))
    counts = Suffix(Linear(0.0, 0.5)).select(tokens, VOCAB, rng).counts
    assert counts[0] == 0
    assert (counts[1:] > 0).all()
