"""window: sizes, schedules, and the conventions of other libraries."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import maskplug
from maskplug.attention import Causal, Window
from maskplug.schedule import Linear

LENGTH = 13
q, k = np.arange(LENGTH)[:, None], np.arange(LENGTH)[None]
WIDTHS = [0, 1, 2, 5, 12, 13, 40]


def matrix(pattern: maskplug.Pattern, length: int = LENGTH, **more: Any) -> Any:
    return pattern.dense(length, **more)[0, 0]


@pytest.mark.parametrize("left", WIDTHS)
def test_number_of_cells_of_a_causal_window(left: int) -> None:
    # The first `left` rows of the triangle are whole; each further row has left + 1 cells.
    reach = min(left, LENGTH - 1)
    cells = (reach + 1) * (reach + 2) // 2 + (LENGTH - 1 - reach) * (reach + 1)
    assert matrix(Window(left=left)).sum() == cells


@pytest.mark.parametrize("left", [LENGTH - 1, LENGTH, 1_000, None])
def test_a_window_as_long_as_the_row_is_causal(left: int | None) -> None:
    assert (matrix(Window(left=left)) == matrix(Causal())).all()
    assert matrix(Window(left=left, right=left)).all()


@pytest.mark.parametrize("width", WIDTHS)
def test_equal_sides_are_symmetric(width: int) -> None:
    both = matrix(Window(left=width, right=width))
    assert (both == both.T).all()
    reach = min(width, LENGTH - 1)
    assert both.sum() == LENGTH * (2 * reach + 1) - reach * (reach + 1)


def test_left_and_right_follow_schedules() -> None:
    growing = Window(left=Linear(1, 7), right=Linear(0, 3))
    assert growing.is_dynamic
    seen = [matrix(growing, progress=p) for p in np.linspace(0, 1, 21)]
    assert (seen[0] == matrix(Window(left=1, right=0))).all()
    assert (seen[10] == matrix(Window(left=4, right=2))).all()  # 1.5 is rounded up
    assert (seen[20] == matrix(Window(left=7, right=3))).all()
    for before, after in pairwise(seen):
        assert (before <= after).all()


@pytest.mark.parametrize("size", WIDTHS)
def test_matches_attention_gym(size: int) -> None:
    theirs = (q >= k) & (q - k <= size)
    assert (matrix(Window.attention_gym(size)) == theirs).all()


def as_transformers(mask_function: Any) -> Any:
    """A mask function of transformers, cell by cell."""
    torch = pytest.importorskip("torch")
    numbers = [torch.tensor(i) for i in range(LENGTH)]
    zero = torch.tensor(0)
    return np.array([[bool(mask_function(zero, zero, q, k)) for k in numbers] for q in numbers])


@pytest.mark.parametrize("size", [1, 2, 3, 12, 13, 14, 40])
def test_matches_causal_windows_of_transformers(size: int) -> None:
    masks = pytest.importorskip("transformers.masking_utils")
    ours = Window.huggingface(size)
    theirs = as_transformers(masks.sliding_window_causal_mask_function(size))
    assert (matrix(ours) == theirs).all()
    overlay = as_transformers(masks.sliding_window_overlay(size))
    assert (matrix(Window(left=ours.left, right=None)) == overlay).all()
    assert theirs.sum(1).max() == min(size, LENGTH)


@pytest.mark.parametrize("size", WIDTHS)
def test_matches_bidirectional_windows_of_transformers(size: int) -> None:
    masks = pytest.importorskip("transformers.masking_utils")
    theirs = as_transformers(masks.sliding_window_bidirectional_mask_function(size))
    assert (matrix(Window.huggingface(size, causal=False)) == theirs).all()


@pytest.mark.parametrize("local_attention", [2, 6, 7])
def test_matches_modernbert(local_attention: int) -> None:
    transformers = pytest.importorskip("transformers")
    config = transformers.ModernBertConfig(local_attention=local_attention)
    window = Window.huggingface(config.sliding_window, causal=False)
    assert window == Window(left=local_attention // 2, right=local_attention // 2)


def test_matches_longformer() -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    config = transformers.LongformerConfig(
        vocab_size=20,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=8,
        max_position_embeddings=40,
        attention_window=[4],
        pad_token_id=1,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = transformers.LongformerModel(config, add_pooling_layer=False).eval()
        inputs = torch.randn(1, 12, 8, requires_grad=True)
        weights = torch.randn(8)
    hidden = model(inputs_embeds=inputs).last_hidden_state[0]
    # What a query sees is what its output depends on: there is only one layer.
    seen = [
        torch.autograd.grad(row @ weights, inputs, retain_graph=True)[0][0].abs().sum(1) > 0
        for row in hidden
    ]
    assert (matrix(Window.longformer(4), 12) == torch.stack(seen).numpy()).all()
