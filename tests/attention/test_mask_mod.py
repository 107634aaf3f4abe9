"""mask_mod: every pattern cell by cell, compiled graphs, and results of flex_attention."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch._dynamo.testing import CompileCounter
from torch.nn.attention.flex_attention import flex_attention
from torch.nn.functional import scaled_dot_product_attention

import maskplug
from maskplug.attention import Intervals
from maskplug.attention.flex import FEW, block_mask, mask_mod
from support.attention_cases import CASES, IDS
from support.scale import scenes
from support.scenes import Case, random_scenes, scene, spread

pytestmark = [
    pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile"),
    pytest.mark.filterwarnings("ignore:pattern .* hides every key"),
]
every = pytest.mark.parametrize("case", CASES, ids=IDS)


def matrix(mod: Any, *shape: int) -> Any:
    """Return the result of a mask_mod for every cell."""
    axes = [torch.arange(size) for size in shape]
    return mod(*torch.meshgrid(*axes, indexing="ij")).numpy()


@every
def test_mask_mod_matches_the_matrix(case: Case) -> None:
    for where in random_scenes(case, scenes(10, 200), seed=5):
        dense = spread(case.pattern.dense(**where.arguments), where)
        mod = case.pattern.mask_mod(**where.arguments, device="cpu")
        assert (matrix(mod, *dense.shape) == dense).all(), where


def masked(rng: np.random.Generator, share: float, shape: tuple[int, ...] = (2, 2, 9, 40)) -> Any:
    return rng.random(shape) < share


@pytest.mark.parametrize("share", [0.0, 0.02, 0.2, 0.5, 1.0])
def test_any_number_of_intervals(share: float) -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        mask = masked(rng, share)
        rows = Intervals.of_mask(mask)
        assert (matrix(mask_mod(rows, "cpu"), *mask.shape) == mask).all()
        if share == 0.5:
            assert rows.lo.shape[-1] > FEW


def test_keys_and_steps() -> None:
    rng = np.random.default_rng(2)
    for _ in range(50):
        mask, keys = masked(rng, 0.9, (1, 2, 9, 40)), masked(rng, 0.6, (3, 1, 40))
        phase = rng.integers(-50, 90, (3, 1, 9))
        step = int(rng.integers(1, 7))
        rows = Intervals.of_mask(mask).only(keys).every(step, phase)
        expected = mask & keys[:, :, None] & ((np.arange(40) - phase[..., None]) % step == 0)
        assert (rows.dense() == expected).all()
        assert (matrix(mask_mod(rows, "cpu"), *expected.shape) == expected).all()


def test_all_patterns_share_one_function() -> None:
    uses = [(case, scene(case, np.random.default_rng(0))) for case in CASES]
    masks = [case.pattern.mask_mod(**where.arguments) for case, where in uses]
    assert len({mod.__code__ for mod in masks}) == 1  # type: ignore[attr-defined]


def random_heads(batch: int, heads: int, length: int, seed: int = 0) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(batch, heads, length, 16, generator=generator) for _ in range(3)]


LENGTH = 160
DOCUMENTS = np.arange(LENGTH) // 50
TEXTS = [
    "causal",
    "window:left=20,right=9",
    "document",
    "window:left=99,right=0 & document",
    "~window:left=20",
    "sink:n=3 | window:left=10",
]


def test_patterns_share_a_compiled_graph() -> None:
    torch._dynamo.reset()
    counter = CompileCounter()

    @torch.compile(backend=counter, dynamic=False, fullgraph=True)
    def attend(q: Any, k: Any, v: Any, mask: Any) -> Any:
        return flex_attention(q, k, v, block_mask=mask)

    q, k, v = random_heads(2, 2, LENGTH)
    for text in TEXTS[:4]:
        attend(q, k, v, maskplug.pattern(text).block_mask(LENGTH, documents=DOCUMENTS))
    assert counter.frame_count == 1
    for text in TEXTS[4:]:  # two intervals a query
        attend(q, k, v, maskplug.pattern(text).block_mask(LENGTH, documents=DOCUMENTS))
    assert counter.frame_count == 2
    causal, positions = maskplug.pattern("causal").intervals(LENGTH), np.arange(LENGTH)[None, None]
    for step in (2, 3, 7):
        attend(q, k, v, block_mask(causal.every(step, positions), device="cpu"))
    assert counter.frame_count == 3


def attended(text: str, attend: Any, **annotations: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """FlexAttention's result, and that of the matrix."""
    q, k, v = random_heads(2, 3, LENGTH)
    pattern = maskplug.pattern(text)
    annotations |= {"documents": DOCUMENTS, "fallback": "self"}
    dense = torch.from_numpy(pattern.dense(LENGTH, **annotations))
    got = attend(q, k, v, block_mask=pattern.block_mask(LENGTH, device="cpu", **annotations))
    return got, scaled_dot_product_attention(q, k, v, attn_mask=dense)


@pytest.mark.parametrize("text", [*TEXTS, "padding & causal"])
def test_flex_attention_matches_the_matrix(text: str) -> None:
    valid = np.arange(LENGTH) >= np.array([[0], [37]])
    got, expected = attended(text, flex_attention, valid=valid)
    torch.testing.assert_close(got, expected, atol=1e-5, rtol=1e-5)


def test_compiled_flex_attention_matches_the_matrix() -> None:
    torch._dynamo.reset()
    attend = torch.compile(flex_attention, dynamic=False)
    valid = np.arange(LENGTH) >= np.array([[0], [37]])
    for text in ("window:left=20,right=9", "padding & causal"):
        got, expected = attended(text, attend, valid=valid)
        torch.testing.assert_close(got, expected, atol=1e-5, rtol=1e-5)
