"""Tests of ``llada``, ``mdlm`` and ``block_diffusion``."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import maskplug
from maskplug import Masked
from support.batches import MASK, PAD, SPECIAL, VOCAB, batch, equal_rows, ragged, seeds

STRATEGIES: dict[str, dict[str, Any]] = {
    "llada": {},
    "llada-forced": {"always_one": True},
    "mdlm": {},
    "mdlm-cosine": {"schedule": "cosine", "antithetic": False},
    "block_diffusion": {"block": 3},
    "block_diffusion-clipped": {"low": 0.3, "high": 0.8, "antithetic": False},
}
every = pytest.mark.parametrize("case", STRATEGIES)


def strategy_of(case: str) -> maskplug.Strategy:
    return maskplug.strategy(case.split("-")[0], **STRATEGIES[case])


def rows_of(masked: Masked) -> list[tuple[Any, ...]]:
    """Return all values of each row."""
    bounds = masked.inputs.offsets[1:-1]
    parts = [masked.inputs.values, masked.labels.values, masked.weights]
    parts += [masked.annotations[name] for name in sorted(masked.annotations)]
    split = [np.split(part, bounds) for part in parts]
    return [tuple(part[i].tolist() for part in split) for i in range(len(masked.inputs))]


@every
@given(rows=ragged(), seed=seeds, epoch=st.integers(0, 9))
def test_selected_tokens_have_masks_labels_and_weights(
    case: str, rows: list[list[int]], seed: int, epoch: int
) -> None:
    tokens = batch(rows)
    masked = strategy_of(case)(tokens, VOCAB, seed=seed, epoch=epoch)
    mask = masked.selection.mask
    assert not mask[np.isin(tokens.ids, SPECIAL)].any()
    assert masked.inputs.values.tolist() == np.where(mask, MASK, tokens.ids).tolist()
    assert masked.labels.values.tolist() == np.where(mask, tokens.ids, -100).tolist()
    assert ((masked.weights > 0) == mask).all()
    # 1 / p and 1 / t are at least 1; the cosine's weight is below 1 near the end.
    assert case == "mdlm-cosine" or (masked.weights[mask] >= 1).all()


@every
@given(rows=ragged(), seed=seeds, order=st.randoms(use_true_random=False))
def test_masks_do_not_depend_on_the_batch(
    case: str, rows: list[list[int]], seed: int, order: random.Random
) -> None:
    strategy = strategy_of(case)
    together = rows_of(strategy(batch(rows), VOCAB, seed=seed, epoch=3))
    picked = [i for i in range(len(rows)) if order.random() < 0.7]
    order.shuffle(picked)
    part = batch([rows[i] for i in picked], keys=picked)
    assert rows_of(strategy(part, VOCAB, seed=seed, epoch=3)) == [together[i] for i in picked]


@every
@given(rows=ragged(), seed=seeds, left=st.integers(0, 3), right=st.integers(0, 5))
def test_surrounding_special_tokens_do_not_matter(
    case: str, rows: list[list[int]], seed: int, left: int, right: int
) -> None:
    strategy = strategy_of(case)
    bare = rows_of(strategy(batch(rows), VOCAB, seed=seed, epoch=1))
    dressed = [[2] * left + row + [PAD] * right for row in rows]
    for got, plain in zip(
        rows_of(strategy(batch(dressed), VOCAB, seed=seed, epoch=1)), bare, strict=True
    ):
        assert [list(part[left : len(part) - right]) for part in got] == [list(p) for p in plain]


@every
def test_masks_depend_on_time_and_are_reproducible(case: str) -> None:
    tokens = equal_rows(20, 30)
    results = [
        rows_of(strategy_of(case)(tokens, VOCAB, seed=1, epoch=epoch)) for epoch in (0, 1, 0)
    ]
    assert results[0] == results[2]
    assert results[0] != results[1]


@pytest.mark.parametrize("case", ["llada", "mdlm", "block_diffusion"])
def test_rows_without_a_mask_have_weight_zero(case: str) -> None:
    # Documented exception: short rows may have no prediction, to avoid a biased sum.
    masked = strategy_of(case)(equal_rows(2_000, 3), VOCAB, seed=1)
    weights = masked.weights.reshape(-1, 3)
    empty = ~masked.selection.mask.reshape(-1, 3).any(axis=1)
    assert 0.15 < empty.mean() < 0.35
    assert (weights[empty] == 0).all()


def test_always_one_masks_in_every_row() -> None:
    masked = strategy_of("llada-forced")(equal_rows(2_000, 1), VOCAB, seed=1)
    assert masked.selection.mask.all()
    np.testing.assert_allclose(masked.weights, 1.0)


def test_diffusion_requires_a_mask_token() -> None:
    vocab = maskplug.Vocabulary(size=60)
    with pytest.raises(maskplug.MaskplugError, match="the vocabulary has none"):
        maskplug.strategy("llada")(equal_rows(2, 8), vocab)


def test_specs_round_trip() -> None:
    for case in STRATEGIES:
        strategy = strategy_of(case)
        assert maskplug.strategy(strategy.spec).fingerprint == strategy.fingerprint
        strategy.dry_run(VOCAB)
