"""chunked: chunks as in Llama 4, shifts and schedules."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

import maskplug
from maskplug.attention import Chunked
from maskplug.schedule import Steps


def matrix(pattern: maskplug.Pattern, length: int = 11, **more: Any) -> Any:
    return pattern.dense(length, **more)[0, 0]


@pytest.mark.parametrize("size", [1, 3, 4, 20])
@pytest.mark.parametrize("padding", [0, 2])
def test_chunked_and_causal_matches_transformers_llama_4(size: int, padding: int) -> None:
    torch = pytest.importorskip("torch")
    masks = pytest.importorskip("transformers.masking_utils")
    function = masks.chunked_causal_mask_function(size, torch.tensor([padding]))
    numbers = [torch.tensor(i) for i in range(11)]
    theirs = [[bool(function(0, 0, q, k)) for k in numbers] for q in numbers]
    valid = [0] * padding + [1] * (11 - padding)
    ours = matrix(maskplug.pattern(f"chunked:size={size} & causal"), valid=valid)
    assert ours.tolist() == theirs


def test_size_follows_a_schedule() -> None:
    growing = Chunked(size=Steps(values=(1, 2, 4, 8), at=(0.2, 0.5, 0.9)))
    assert growing.is_dynamic
    masks = [matrix(growing, progress=p) for p in (0.0, 0.3, 0.5, 1.0)]
    for mask, size in zip(masks, (1, 2, 4, 8), strict=True):
        assert (mask == matrix(Chunked(size))).all()
    for before, after in pairwise(masks):
        assert (before <= after).all()
