"""Tests of the selector ``hard``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import maskplug
from maskplug import TokenBatch
from maskplug.errors import TokenError
from support.batches import MASK, ORDINARY, VOCAB, batch, equal_rows


def evolved(**options: Any) -> maskplug.Strategy:
    return maskplug.strategy("self_evolution", **options)


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
