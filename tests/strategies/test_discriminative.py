"""Tests of ``electra`` and ``permutation``."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import maskplug
from maskplug import units
from maskplug.collate import pad
from maskplug.objectives.xlnet import perm_mask, target_labels, target_mapping
from support.batches import MASK, SPECIAL, VOCAB, batch, equal_rows, likely, ragged, seeds


def test_electra_never_writes_random_tokens() -> None:
    tokens = equal_rows(3_000, 40)
    masked = maskplug.strategy("electra")(tokens, VOCAB, seed=3)
    chosen = masked.selection.mask
    written = masked.inputs.values[chosen]
    hidden = written == MASK
    assert (written[~hidden] == tokens.ids[chosen][~hidden]).all()
    assert likely(hidden.sum(), len(hidden), 0.85)
    assert masked.labels.values.tolist() == np.where(chosen, tokens.ids, -100).tolist()


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


@given(ragged(), seeds, st.randoms(use_true_random=False))
def test_orders_do_not_depend_on_the_batch(
    rows: list[list[int]], seed: int, shuffle: random.Random
) -> None:
    strategy = maskplug.strategy("permutation", rate=0.5)
    tokens = batch(rows)
    together = np.split(
        strategy(tokens, VOCAB, seed=seed).annotations["order"], tokens.offsets[1:-1]
    )
    picked = shuffle.sample(range(len(rows)), len(rows) // 2)
    part = batch([[2, *rows[i], 3, 0] for i in picked], keys=picked)
    again = np.split(strategy(part, VOCAB, seed=seed).annotations["order"], part.offsets[1:-1])
    for row_order, i in zip(again, picked, strict=False):
        assert row_order[1:-2].tolist() == together[i].tolist()


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


@pytest.mark.parametrize("options", [{"max_n": 0}, {"rate": 1.5}, {"unit": "letter"}])
def test_bad_options(options: dict[str, object]) -> None:
    with pytest.raises(maskplug.OptionError, match=next(iter(options))):
        maskplug.strategy("permutation", **options)
