"""Tests of the target ``labels`` and of those that extend it."""

from __future__ import annotations

import numpy as np
import pytest

from maskplug import Masked, Ragged, Rng, Selection, Target
from maskplug.errors import OptionError
from maskplug.selectors import UniformNoise
from maskplug.targets import IGNORE, BoundaryLabels, Labels, Permutation, WeightedLabels
from support.batches import VOCAB, batch

TOKENS = batch([[5, 6, 7], [], [8]])
RNG = Rng.at(1, 0, TOKENS.keys)
SELECTION = Selection.from_mask(np.array([False, True, True, True]), TOKENS)


def test_labels_are_original_ids_or_minus_100() -> None:
    inputs = Ragged(np.array([5, 4, 4, 4]), TOKENS.offsets)
    masked = Labels().build(TOKENS, Masked(inputs, SELECTION), VOCAB, RNG)
    assert IGNORE == -100
    assert masked.labels.to_lists() == [[-100, 6, 7], [], [8]]
    assert masked.inputs is inputs
    assert masked.targets is None


@pytest.mark.parametrize(
    "target", [Labels(), BoundaryLabels(), Permutation(), WeightedLabels(UniformNoise())]
)
def test_other_lengths_raise(target: Target) -> None:
    shorter = Ragged(np.array([5, 4, 4]), np.array([0, 2, 2, 3]))
    with pytest.raises(OptionError, match="'labels' needs inputs as long as the original"):
        target.build(TOKENS, Masked(shorter, SELECTION), VOCAB, RNG)
