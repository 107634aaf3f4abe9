"""strided and fixed: the patterns of Sparse Transformers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import maskplug
from maskplug.attention import Fixed, Full

LENGTH = 17
q, k = np.arange(LENGTH)[:, None], np.arange(LENGTH)[None]
STRIDES = [1, 2, 4, 16, 17, 30]


def matrix(pattern: maskplug.Pattern | str, **more: Any) -> Any:
    return maskplug.pattern(pattern).dense(LENGTH, **more)[0, 0]


@pytest.mark.parametrize("stride", STRIDES)
def test_strided_attention_of_sparse_transformers(stride: int) -> None:
    # The previous tokens back to the one a stride away, and every one that is whole strides away.
    paper = (k <= q) & ((q - k <= stride) | ((q - k) % stride == 0))
    ours = matrix(f"(strided:stride={stride} | window:left={stride - 1}) & causal")
    assert (ours == paper).all()


@pytest.mark.parametrize("stride", STRIDES)
def test_fixed_attention_of_sparse_transformers(stride: int) -> None:
    for summary in {1, (stride + 1) // 2, stride}:
        paper = (k <= q) & ((q // stride == k // stride) | (k % stride >= stride - summary))
        assert (matrix(f"fixed:stride={stride},summary={summary} & causal") == paper).all()


def test_two_layers_connect_all_tokens() -> None:
    # What the paper calls a valid factorisation: each earlier token is reached over one between.
    for text in ("(strided:stride=4 | window:left=3) & causal", "fixed:stride=4 & causal"):
        once = matrix(text).astype(int)
        assert ((once @ once > 0) == (k <= q)).all()


def test_a_summary_longer_than_its_block_is_the_whole_block() -> None:
    crossing = maskplug.pattern("fixed(stride=linear(2, 8), summary=linear(8, 1))")
    assert (matrix(crossing) == matrix(Full())).all()
    assert (matrix(crossing, progress=0.5) == matrix(Full())).all()
    assert (matrix(crossing, progress=1.0) == matrix(Fixed(8, 1))).all()
