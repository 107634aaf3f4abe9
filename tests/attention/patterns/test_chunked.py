"""chunked: chunks as in Llama 4, shifts and schedules."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import maskplug
from maskplug.attention import Causal, Chunked, Full
from maskplug.schedule import Linear, Steps


def matrix(pattern: maskplug.Pattern, length: int = 11, **more: Any) -> Any:
    return pattern.dense(length, **more)[0, 0]


@pytest.mark.parametrize("size", [1, 2, 4, 11, 50])
def test_chunks_are_diagonal_blocks(size: int) -> None:
    whole, rest = divmod(11, size)
    sizes = [size] * whole + [rest] * bool(rest)
    blocks = np.zeros((11, 11), np.bool_)
    for number, length in enumerate(sizes):
        start = number * size
        blocks[start : start + length, start : start + length] = True
    assert (matrix(Chunked(size)) == blocks).all()


@pytest.mark.parametrize("length", [11, 12])
def test_a_chunk_as_long_as_the_row_is_full(length: int) -> None:
    assert (matrix(Chunked(length)) == matrix(Full())).all()
    assert (matrix(Chunked(length) & Causal()) == matrix(Causal())).all()


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


def test_shift() -> None:
    seen = matrix(Chunked(4, shift=1), 10)
    first = [int(row.argmax()) for row in seen]
    assert first == [0, 1, 1, 1, 1, 5, 5, 5, 5, 9]
    assert (matrix(Chunked(4, shift=5), 10) == seen).all()
    assert (matrix(Chunked(4, shift=4), 10) == matrix(Chunked(4), 10)).all()


def test_size_follows_a_schedule() -> None:
    growing = Chunked(size=Steps(values=(1, 2, 4, 8), at=(0.2, 0.5, 0.9)))
    assert growing.is_dynamic
    seen = [matrix(growing, progress=p) for p in (0.0, 0.3, 0.5, 1.0)]
    for mask, size in zip(seen, (1, 2, 4, 8), strict=True):
        assert (mask == matrix(Chunked(size))).all()
    for before, after in pairwise(seen):
        assert (before <= after).all()


def test_sizes_that_do_not_divide_each_other() -> None:
    growing = Chunked(size=Linear(2, 3))
    before, after = matrix(growing), matrix(growing, progress=1.0)
    assert before[3, 2]
    assert not after[3, 2]
