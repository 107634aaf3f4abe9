"""block_diffusion: noisy and clean blocks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from maskplug.attention import BlockDiffusion, Causal
from maskplug.schedule import Steps


def matrix(block: Any, n: int, **more: Any) -> Any:
    """The mask of a text of n tokens, which stands there twice."""
    return BlockDiffusion(block).dense(2 * n, **more)[0, 0]


def quarters(block: Any, n: int, **more: Any) -> tuple[Any, Any, Any, Any]:
    seen = matrix(block, n, **more)
    return seen[:n, :n], seen[:n, n:], seen[n:, :n], seen[n:, n:]


@pytest.mark.parametrize(("block", "n"), [(1, 6), (2, 6), (4, 8), (4, 6), (5, 7), (9, 6)])
def test_four_quarters(block: int, n: int) -> None:
    own = np.arange(n) // block
    q, k = own[:, None], own[None]
    noisy, noisy_to_clean, clean_to_noisy, clean = quarters(block, n)
    assert (noisy == (q == k)).all()
    assert (noisy_to_clean == (k < q)).all()
    assert not clean_to_noisy.any()
    assert (clean == (k <= q)).all()


def test_number_of_visible_cells() -> None:
    # Two texts of eight tokens: 32 cells in noise, 16 from noise to clean, 48 in clean.
    noisy, noisy_to_clean, clean_to_noisy, clean = quarters(4, 8)
    cells = [int(part.sum()) for part in (noisy, noisy_to_clean, clean_to_noisy, clean)]
    assert cells == [32, 16, 0, 48]
    assert sum(cells) == 96


def test_blocks_of_one_token_are_autoregressive() -> None:
    noisy, noisy_to_clean, _, clean = quarters(1, 5)
    causal = Causal().dense(5)[0, 0]
    assert (noisy == np.eye(5, dtype=bool)).all()
    assert (noisy_to_clean == (causal & ~np.eye(5, dtype=bool))).all()
    assert (clean == causal).all()


@pytest.mark.parametrize("block", [5, 6, 100])
def test_one_block_is_full_diffusion(block: int) -> None:
    noisy, noisy_to_clean, _, clean = quarters(block, 5)
    assert noisy.all()
    assert not noisy_to_clean.any()
    assert clean.all()


def test_two_intervals_are_enough() -> None:
    assert BlockDiffusion(4).intervals(400).lo.shape[-1] == 2


def test_halves_of_samples_of_different_lengths() -> None:
    valid = np.array([[1] * 12, [0, 0, 0] + [1] * 8 + [0], [0] * 12])
    masks = BlockDiffusion(2).dense(12, valid=valid)[:, 0]
    assert (masks[0] == matrix(2, 6)).all()
    assert (masks[1, 3:11, 3:11] == matrix(2, 4)).all()


def test_block_follows_a_schedule() -> None:
    moving = Steps(values=(1, 2, 4), at=(0.3, 0.9))
    for progress, block in ((0.0, 1), (0.5, 2), (1.0, 4)):
        assert (matrix(moving, 8, progress=progress) == matrix(block, 8)).all()
