"""Tests of the selector ``hard``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import maskplug
from maskplug import OptionError, TokenBatch
from maskplug.errors import TokenError
from support import reference_adaptive as ref
from support.batches import MASK, ORDINARY, SPECIAL, VOCAB, batch, equal_rows, likely, ragged, seeds
from support.reference import Sample


def evolved(**options: Any) -> maskplug.Strategy:
    return maskplug.strategy("self_evolution", **options)


@given(ragged(), seeds, st.floats(0, 2), st.floats(0, 1), st.data())
def test_matches_reference(
    rows: Any, seed: int, bar: float, rate: float, data: st.DataObject
) -> None:
    value = st.one_of(st.just(0.0), st.floats(0, 3), st.just(bar), st.just(float("inf")))
    losses = [[data.draw(value) for _ in row] for row in rows]
    tokens = batch(rows, losses=losses)
    masked = evolved(bar=bar, rate=rate)(tokens, VOCAB, seed=seed, epoch=2)
    for i, row in enumerate(rows):
        free = [j for j, token in enumerate(row) if token not in SPECIAL]
        chosen = ref.hard(Sample(seed, 2, i), [losses[i][j] for j in free], bar, rate)
        mask = masked.selection.mask[tokens.offsets[i] : tokens.offsets[i + 1]]
        assert mask[free].tolist() == chosen
        assert not np.delete(mask, free).any()


def test_tokens_above_the_threshold_become_masks() -> None:
    row = [2, 10, 11, 12, 13, 3]
    losses = [9.0, 0.11, 0.1, 0.0, 7.0, 9.0]
    for epoch in range(5):
        masked = evolved()(batch([row], losses=[losses]), VOCAB, epoch=epoch)
        assert masked.inputs.to_lists() == [[2, MASK, 11, 12, MASK, 3]]
        assert masked.labels.to_lists() == [[-100, 10, -100, -100, 13, -100]]


def test_rows_without_hard_tokens_are_masked_at_random() -> None:
    plain = equal_rows(2000, 10)
    annotations = {"losses": np.full(len(plain.ids), 0.1)}
    tokens = TokenBatch(plain.ids, plain.offsets, plain.keys, annotations)
    masked = evolved(rate=0.25)(tokens, VOCAB, seed=4)
    assert set(masked.selection.counts.tolist()) == {2, 3}
    assert likely((masked.selection.counts == 3).sum(), 2000, 0.5)
    assert (masked.inputs.values[masked.selection.mask] == MASK).all()
    dynamic = maskplug.strategy("dynamic", rate=0.25)(plain, VOCAB, seed=4)
    assert (masked.selection.mask == dynamic.selection.mask).all()


def test_missing_loss_raises_with_sample_key() -> None:
    rows, nan = [[10, 11], [2, 12, 13]], float("nan")
    tokens = batch(rows, keys=["a", 77], losses=[[0.0, 1.0], [nan, 0.0, nan]])
    message = r"'losses' must hold .*; sample 1, position 2 has NaN \(sample key 77\)"
    with pytest.raises(TokenError, match=message):
        evolved()(tokens, VOCAB)
    special = batch([[2, 12, 3]], losses=[[nan, 1.0, nan]])
    assert evolved()(special, VOCAB).selection.mask.tolist() == [False, True, False]


def test_missing_annotation_raises() -> None:
    with pytest.raises(TokenError, match=r"'losses'.*'maskplug list self_evolution'"):
        evolved()(batch([ORDINARY[:3]]), VOCAB)
    assert evolved().required_annotations == ("losses",)
    evolved().dry_run(VOCAB)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bar": -0.1}, "option 'bar' is -0.1; it must be a finite number from 0 on"),
        ({"bar": float("nan")}, "option 'bar' is nan"),
        ({"rate": -1.0}, "option 'rate'"),
    ],
)
def test_bad_options(options: Any, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        evolved(**options)
