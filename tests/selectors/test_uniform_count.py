"""Tests of the selector ``uniform_count``."""

from __future__ import annotations

import numpy as np
import pytest

from maskplug import Rng
from maskplug.selectors import UniformCount
from support.batches import EOS, MASK, VOCAB, batch, equal_rows, fits, likely


def masks(samples: int, length: int) -> np.ndarray:
    tokens = equal_rows(samples, length)
    return UniformCount().select(tokens, VOCAB, Rng.at(9, 0, tokens.keys)).mask.reshape(-1, length)


@pytest.mark.parametrize("length", [1, 2, 10])
def test_counts_are_uniform_from_one_to_all(length: int) -> None:
    counts = np.bincount(masks(20_000, length).sum(axis=1), minlength=length + 1)
    assert counts[0] == 0
    assert length == 1 or fits(counts[1:], np.ones(length))


def test_positions_are_uniform() -> None:
    hit = masks(20_000, 5)
    assert all(likely(count, 20_000, 0.6) for count in hit.sum(axis=0))
    two = hit[hit.sum(axis=1) == 2]
    sets = np.bincount(two @ (1 << np.arange(5)), minlength=32)
    assert fits(sets[[code for code in range(32) if code.bit_count() == 2]], np.ones(10))


def test_edge_rows() -> None:
    tokens = batch([[], [EOS], [MASK], [7], [2, 7, 3]])
    selection = UniformCount().select(tokens, VOCAB, Rng.at(1, 0, tokens.keys))
    assert selection.counts.tolist() == [0, 0, 0, 1, 1]
