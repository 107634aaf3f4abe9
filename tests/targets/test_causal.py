"""Tests of the target ``causal``."""

from __future__ import annotations

import numpy as np

from maskplug import Masked, Ragged, Rng, compose, part
from maskplug.selectors import Nothing
from maskplug.strategies.composition import chain
from maskplug.targets import Causal
from support.batches import VOCAB, batch


def test_labels_are_the_inputs() -> None:
    tokens = batch([[2, 5, 6, 3], []])
    rng = Rng.at(0, 0, tokens.keys)
    inputs = Ragged.of([[9, 2, 5, 6, 3], [8]])
    result = Causal().build(
        tokens, Masked(inputs, Nothing().select(tokens, VOCAB, rng)), VOCAB, rng
    )
    assert result.targets is None
    assert result.labels.to_lists() == result.inputs.to_lists() == inputs.to_lists()


def test_bounds_match_the_inputs() -> None:
    lengths = np.array([0, 5, 9])
    grows = compose("nothing", part("replacement", "fim"), "causal")
    assert [bound.tolist() for bound in grows.bounds(lengths)] == [[3, 8, 12]] * 2
    twice = chain((grows, grows), part("target", "causal"))
    assert [bound.tolist() for bound in twice.bounds(lengths)] == [[6, 11, 15]] * 2
