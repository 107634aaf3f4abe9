"""Errors and selections of nested strategies refer to the original batch."""

from __future__ import annotations

import numpy as np
import pytest

import maskplug
from maskplug.errors import TokenError
from support.batches import VOCAB, batch

DELETE = {"name": "compose", "selector": "exact", "replacement": "delete", "target": "original"}


def test_mixture_errors_name_the_sample_in_the_batch() -> None:
    rows = [[5, 6, 7]] * 20
    mixture = maskplug.strategy("mixture", strategies=["static", "span"])
    for bad in range(20):
        wrong = [*rows[:bad], [5, 60, 7], *rows[bad + 1 :]]
        with pytest.raises(TokenError, match=rf"token id 60 \(sample {bad}, position 1\)"):
            mixture(batch(wrong), VOCAB)


def test_chain_selection_refers_to_the_original() -> None:
    tokens = batch([[2, *range(5, 45), 3], [], [2, *range(5, 25), 3]])
    made = maskplug.strategy("chain", strategies=[DELETE, "dynamic"], target=None)
    masked = made(tokens, VOCAB, seed=1)
    masked.selection.check(tokens)
    kept = masked.inputs.sources
    gone = np.setdiff1d(np.arange(len(tokens.ids)), kept)
    assert len(gone) > 0
    assert masked.selection.mask[gone].all()
    predicted = kept[masked.labels.values >= 0]
    assert masked.selection.mask[predicted].all()
    assert masked.selection.counts.sum() == len(gone) + len(predicted)
