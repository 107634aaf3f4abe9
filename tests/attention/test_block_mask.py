"""BlockMask from intervals: equal to ``create_block_mask`` of the matrix, bit by bit."""

from __future__ import annotations

from typing import Any
from unittest import mock

import numpy as np
import pytest
import torch
from torch.nn.attention import flex_attention
from torch.nn.attention.flex_attention import BlockMask, create_block_mask

import maskplug
from maskplug.attention import Intervals
from maskplug.attention.flex import block_mask
from support.attention_cases import CASES, IDS
from support.scale import scenes
from support.scenes import Case, scene

pytestmark = pytest.mark.filterwarnings("ignore:pattern .* hides every key")
TENSORS = [
    f"{full}{side}_{what}"
    for side in ("kv", "q")
    for full in ("", "full_")
    for what in ("num_blocks", "indices")
]

every = pytest.mark.parametrize("case", CASES, ids=IDS)


def reference(dense: Any, size: tuple[int, int]) -> BlockMask:
    """Return torch's block mask of a matrix, without torch's slow lookup of every cell."""
    cells = torch.from_numpy(np.ascontiguousarray(dense))
    with mock.patch.object(flex_attention, "create_mask", return_value=cells):
        return create_block_mask(
            lambda b, h, q, k: cells[b, h, q, k], *dense.shape, device="cpu", BLOCK_SIZE=size
        )


def assert_same(got: BlockMask, expected: BlockMask) -> None:
    assert got.seq_lengths == expected.seq_lengths
    assert got.BLOCK_SIZE == expected.BLOCK_SIZE
    assert got.shape == expected.shape
    for name in TENSORS:
        ours, theirs = getattr(got, name), getattr(expected, name)
        assert ours.dtype == theirs.dtype == torch.int32, name
        assert ours.stride() == theirs.stride(), name
        assert torch.equal(ours, theirs), name


def sizes(rng: np.random.Generator) -> tuple[int, int]:
    return int(rng.integers(1, 7)), int(rng.integers(1, 7))


@every
def test_block_mask_matches_create_block_mask(case: Case) -> None:
    rng = np.random.default_rng(7)
    for number in range(scenes(5, 50)):
        where, size = scene(case, rng), sizes(rng)
        dense = case.pattern.dense(**where.arguments)
        got = case.pattern.block_mask(**where.arguments, block_size=size, device="cpu")
        assert_same(got, reference(dense, size))
        if number % 5 == 0:  # slow; test_mask_mod compares mask_mod with the matrix in all scenes
            assert_same(got, create_block_mask(got.mask_mod, *dense.shape, "cpu", size))


def random_rows(rng: np.random.Generator, kind: str) -> Intervals:
    """Return a mask with odd lengths, for samples and heads or shared by them."""
    batch, heads, queries, keys = rng.integers(1, (4, 4, 61, 61)).tolist()
    shape = (batch, heads, queries, keys)
    spread = rng.integers(0, keys + 1, (*shape[:3], 2))
    rows = Intervals.of(keys, np.minimum(spread, spread[..., ::-1]), spread)
    if rng.random() < 0.3:
        rows = ~rows
    if kind != "intervals":
        rows = rows.only(rng.random((batch, 1, keys)) < 0.9)
    if kind == "steps":
        rows = rows.every(int(rng.integers(2, 5)), rng.integers(-9, 99, (batch, 1, queries)))
    return rows


@pytest.mark.parametrize("kind", ["intervals", "keys", "steps"])
def test_random_masks_match_create_block_mask(kind: str) -> None:
    rng = np.random.default_rng(8)
    for _ in range(scenes(10, 40)):
        rows = random_rows(rng, kind)
        size = (int(rng.integers(1, 40)), int(rng.integers(1, 40)))
        assert_same(block_mask(rows, size, "cpu"), reference(rows.dense(), size))
        assert_same(block_mask(~rows, size, "cpu"), reference(~rows.dense(), size))


LONG = {
    "causal": {},
    "window:left=200,right=10": {},
    "document & causal": {"documents": np.arange(700) // 111},
    "document | sink:n=3 | window:left=1": {"documents": np.arange(700) // 300},
    "padding & causal": {"valid": np.arange(700) >= np.array([[0], [130], [699]])},
}


@pytest.mark.parametrize("text", LONG)
def test_blocks_of_128_match_create_block_mask(text: str) -> None:
    for columns in (LONG[text], {**LONG[text], "offset": 259}):
        queries = 700 - columns.get("offset", 0)
        arguments: dict[str, Any] = {"kv_len": 700, "fallback": "self", **columns}
        pattern = maskplug.pattern(text)
        got = pattern.block_mask(queries, device="cpu", **arguments)
        assert got.BLOCK_SIZE == (128, 128)
        assert_same(got, reference(pattern.dense(queries, **arguments), (128, 128)))


def test_equal_samples_and_heads_share_one_block_mask() -> None:
    arguments: dict[str, Any] = {"heads": 3, "keys": [1, 2], "device": "cpu"}
    assert maskplug.pattern("causal").block_mask(9, **arguments).kv_indices.shape[:2] == (1, 1)
    mask = maskplug.pattern("causal & padding").block_mask(
        9, valid=np.ones((2, 9), int), **arguments
    )
    assert mask.kv_indices.shape[:2] == (2, 1)


@pytest.mark.parametrize("size", [0, -1, 1.5, "128", (128,), (1, 2, 3), (0, 128), None])
def test_wrong_block_sizes_are_refused(size: Any) -> None:
    with pytest.raises(maskplug.OptionError, match="block_size is"):
        maskplug.pattern("causal").block_mask(9, block_size=size)
