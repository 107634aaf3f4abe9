"""window: sizes, schedules, and the conventions of other libraries."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import maskplug
from maskplug.attention import Causal, Window

LENGTH = 13
q, k = np.arange(LENGTH)[:, None], np.arange(LENGTH)[None]
WIDTHS = [0, 1, 2, 5, 12, 13, 40]


def matrix(pattern: maskplug.Pattern, length: int = LENGTH, **more: Any) -> Any:
    return pattern.dense(length, **more)[0, 0]


@pytest.mark.parametrize("left", [LENGTH - 1, LENGTH, 1_000, None])
def test_a_window_as_long_as_the_row_is_causal(left: int | None) -> None:
    assert (matrix(Window(left=left)) == matrix(Causal())).all()
    assert matrix(Window(left=left, right=left)).all()


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
    # What a query attends to is what its output depends on: there is only one layer.
    visible = [
        torch.autograd.grad(row @ weights, inputs, retain_graph=True)[0][0].abs().sum(1) > 0
        for row in hidden
    ]
    assert (matrix(Window.longformer(4), 12) == torch.stack(visible).numpy()).all()
