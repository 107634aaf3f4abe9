"""Tests of ``electra`` and ``permutation``."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import maskplug
from maskplug import units
from maskplug.collate import pad
from maskplug.objectives.xlnet import perm_mask, target_labels, target_mapping
from support.batches import MASK, SPECIAL, VOCAB, batch, equal_rows, likely, ragged, seeds


def test_electra_decisions_are_independent() -> None:
    masked = maskplug.strategy("electra", rate=0.5)(equal_rows(6_000, 4), VOCAB, seed=3)
    hidden = (masked.inputs.values == MASK)[masked.selection.mask].reshape(-1, 2)
    assert likely(hidden.all(axis=1).sum(), len(hidden), 0.85**2)


@given(ragged(), seeds, st.floats(0.01, 1), st.integers(1, 6), st.sampled_from(["word", "token"]))
def test_permutation_leaves_inputs_unchanged(
    rows: list[list[int]], seed: int, rate: float, max_n: int, unit: str
) -> None:
    tokens = batch(rows)
    strategy = maskplug.strategy("permutation", rate=rate, max_n=max_n, unit=unit)
    masked = strategy(tokens, VOCAB, seed=seed)
    mask, order = masked.selection.mask, masked.annotations["order"]
    assert masked.inputs.to_lists() == rows
    assert not mask[np.isin(tokens.ids, SPECIAL)].any()
    assert ((order >= 0) == mask).all()
    for row_order, free in zip(
        np.split(order, tokens.offsets[1:-1]), units(tokens, VOCAB).counts, strict=False
    ):
        assert sorted(row_order[row_order >= 0].tolist()) == list(range((row_order >= 0).sum()))
        assert (row_order >= 0).any() == (free > 0)


def test_xlnet_inputs_end_to_end() -> None:
    tokens = batch([[2, *range(10, 30), 3], [2, 8, 9, 3]])
    masked = maskplug.strategy("permutation", rate=0.5)(tokens, VOCAB, seed=1)
    order = pad(maskplug.Ragged(masked.annotations["order"], tokens.offsets), -1)
    labels = pad(masked.labels, -100)
    hidden, mapping = perm_mask(order), target_mapping(order)
    wanted = target_labels(order, labels)
    assert hidden.shape == (2, 22, 22)
    assert mapping.shape == (2, int((order[0] >= 0).sum()), 22)
    ids = pad(maskplug.Ragged(tokens.ids, tokens.offsets), 0)
    picked = np.einsum("bpl,bl->bp", mapping, ids)
    assert (picked[wanted >= 0] == wanted[wanted >= 0]).all()
    assert (wanted >= 0).sum() == masked.selection.mask.sum()
