"""Tests of the strategy ``prefixed``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given

import maskplug
from maskplug import Masked
from maskplug.errors import VocabularyError
from maskplug.strategies.composed import Composed
from support.batches import BOS, PAD, batch, ragged, seeds
from support.t5_rows import VOCAB, batch_of

MODE = 60


@pytest.mark.parametrize("inner", ["t5", "dynamic", "fim", "mass"])
@given(rows=ragged(), seed=seeds)
def test_token_is_first_or_after_bos(inner: str, rows: list[list[int]], seed: int) -> None:
    tokens = batch(rows)
    plain = maskplug.strategy(inner)(tokens, VOCAB, seed=seed, epoch=2)
    prefixed = maskplug.strategy("prefixed", strategy=inner, token="[R]")
    masked = prefixed(tokens, VOCAB, seed=seed, epoch=2)
    is_mode = masked.inputs.values == MODE
    expected = []
    for row in plain.inputs.to_lists():
        place = next((i for i, token in enumerate(row) if token != PAD), len(row))
        place += row[place : place + 1] == [BOS]
        expected.append([*row[:place], MODE, *row[place:]])
    assert masked.inputs.to_lists() == expected
    assert is_mode.sum() == len(rows)
    assert (masked.inputs.sources[is_mode] < 0).all()
    sources = np.arange(len(tokens.ids)) if plain.inputs.sources is None else plain.inputs.sources
    assert (masked.inputs.sources[~is_mode] == sources).all()
    assert (masked.selection.mask == plain.selection.mask).all()
    if plain.targets is not None:
        assert masked.targets.to_lists() == plain.targets.to_lists()
    if plain.labels is not None:
        assert (masked.labels.values[is_mode] == -100).all()
        assert (masked.labels.values[~is_mode] == plain.labels.values).all()


@dataclass(frozen=True, repr=False)
class Weighed(Composed):
    """A strategy with weights and an annotation."""

    def mask(self, tokens: Any, vocab: Any, context: Any) -> Masked:
        masked = super().mask(tokens, vocab, context)
        ones = np.ones(len(tokens.ids))
        return replace(masked, weights=ones, annotations={"order": np.arange(len(tokens.ids)) + 5})


def test_weights_and_annotations_are_aligned() -> None:
    dynamic = maskplug.strategy("dynamic")
    inner = Weighed(dynamic.selector, dynamic.replacement, dynamic.target, dynamic.clock)
    strategy = maskplug.strategy("prefixed", strategy=inner, token=61)
    masked = strategy(batch([[2, 10, 3], [], [11]]), VOCAB)
    assert masked.weights.tolist() == [1, 0, 1, 1, 0, 0, 1]
    assert masked.annotations["order"].tolist() == [5, -1, 6, 7, -1, -1, 8]


def test_vocabulary_without_bos() -> None:
    bare = maskplug.Vocabulary(size=60, mask_id=4, special_ids=[2], named={"[R]": 5})
    strategy = maskplug.strategy("prefixed", strategy="dynamic", token="[R]")
    assert [row[0] for row in strategy(batch([[2, 10], []]), bare).inputs.to_lists()] == [5, 5]


def test_bounds_and_names() -> None:
    tokens = batch_of(500, 40, True)
    strategy = maskplug.strategy("prefixed", strategy={"name": "t5", "rate": 0.5}, token="[X]")
    inputs, targets = strategy.bounds(tokens.lengths)
    masked = strategy(tokens, VOCAB)
    assert (masked.inputs.lengths <= inputs).all()
    assert (masked.targets.lengths <= targets).all()
    assert strategy.spec["options"]["strategy"]["rate"] == 0.5
    assert maskplug.strategy(strategy.spec).fingerprint == strategy.fingerprint
    with pytest.raises(VocabularyError, match=r"'prefixed' inserts the special token '\[Q\]'"):
        maskplug.strategy("prefixed", strategy="t5", token="[Q]")(tokens, VOCAB)
