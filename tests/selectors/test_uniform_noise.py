"""Tests of the selector ``uniform_noise``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from maskplug import Rng
from maskplug.selectors import UniformNoise
from support.batches import VOCAB, equal_rows, fits

N = 20_000


def drawn(selector: UniformNoise, samples: int, length: int) -> tuple[Any, Any]:
    """Return mask and weights of shape (samples, length)."""
    tokens = equal_rows(samples, length)
    rng = Rng.at(11, 0, tokens.keys)
    mask = selector.select(tokens, VOCAB, rng).mask
    weights = selector.weights(tokens, VOCAB, rng)
    return mask.reshape(samples, length), weights.reshape(samples, length)


@pytest.mark.parametrize("length", [1, 4, 10])
def test_every_number_of_masks_is_equally_likely(length: int) -> None:
    mask, _ = drawn(UniformNoise(1e-9), N, length)
    assert fits(np.bincount(mask.sum(axis=1), minlength=length + 1), np.ones(length + 1))


@pytest.mark.parametrize("length", [1, 16])
@pytest.mark.parametrize("always_one", [False, True])
def test_weights_are_unbiased(length: int, always_one: bool) -> None:
    mask, weights = drawn(UniformNoise(1e-3, always_one), 5 * N, length)
    rows = (mask * weights).mean(axis=1)
    assert abs(rows.mean() - 1) <= 4 * rows.std() / len(rows) ** 0.5
    assert weights.min() >= 1 - 1e-12
    # A forced token is selected with a probability of at least 1 / length.
    assert (weights.max() <= length + 1e-9) == always_one


def test_eps_is_the_minimum_rate() -> None:
    _, weights = drawn(UniformNoise(0.25), N, 3)
    assert 3.9 < weights.max() <= 4
    mask, weights = drawn(UniformNoise(1.0), 100, 3)
    assert mask.all()
    assert (weights == 1).all()
