"""Tests of the target ``weighted_labels``."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import maskplug
from maskplug import Masked, Ragged, Rng
from maskplug.errors import OptionError
from maskplug.selectors import BlockNoise, Exact, Noise, ScheduledNoise, UniformNoise
from maskplug.targets import WeightedLabels
from support.batches import VOCAB, batch, ragged, seeds

noises = st.sampled_from([UniformNoise(), ScheduledNoise("cosine"), BlockNoise(3)])


@given(ragged(), seeds, noises)
def test_weights_are_at_labels(rows: list[list[int]], seed: int, noise: Noise) -> None:
    tokens = batch(rows)
    rng = Rng.at(seed, 1, tokens.keys)
    selection = noise.select(tokens, VOCAB, rng)
    inputs = Ragged(tokens.ids, tokens.offsets)
    masked = WeightedLabels(noise).build(tokens, Masked(inputs, selection), VOCAB, rng)
    mask = selection.mask
    assert masked.labels.values.tolist() == np.where(mask, tokens.ids, -100).tolist()
    assert (masked.weights[~mask] == 0).all()
    assert (masked.weights[mask] == noise.weights(tokens, VOCAB, rng)[mask]).all()
    assert np.isfinite(masked.weights).all()
    assert (masked.divisors == noise.candidates(tokens, VOCAB).counts).all()
    assert set(masked.annotations) == ({"block"} if isinstance(noise, BlockNoise) else set())


def test_selector_without_weights_raises() -> None:
    with pytest.raises(OptionError, match=r"'noise' is Exact\(.*a selector that computes weights"):
        maskplug.part("target", "weighted_labels", noise="exact")
    with pytest.raises(OptionError, match="'noise' is"):
        WeightedLabels(Exact())


def test_by_name_in_compose() -> None:
    noise = {"name": "uniform_noise", "eps": 0.01}
    strategy = maskplug.compose(
        maskplug.part("selector", **noise),
        maskplug.part("replacement", "mix", mask=1.0, random=0.0, unit="span"),
        {"name": "weighted_labels", "noise": noise},
    )
    tokens = batch([[5, 6, 7, 8, 9, 10]] * 20)
    ours, theirs = strategy(tokens, VOCAB), maskplug.strategy("llada", eps=0.01)(tokens, VOCAB)
    assert ours.inputs.to_lists() == theirs.inputs.to_lists()
    assert (ours.weights == theirs.weights).all()
