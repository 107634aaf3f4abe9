"""block_diffusion: noisy and clean blocks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from maskplug.attention import BlockDiffusion, Causal


def matrix(block: Any, n: int, **more: Any) -> Any:
    """The mask of a text of n tokens, which stands there twice."""
    return BlockDiffusion(block).dense(2 * n, **more)[0, 0]


def quarters(block: Any, n: int, **more: Any) -> tuple[Any, Any, Any, Any]:
    mask = matrix(block, n, **more)
    return mask[:n, :n], mask[:n, n:], mask[n:, :n], mask[n:, n:]


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
