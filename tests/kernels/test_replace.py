"""The kernel ``mix`` matches the scalar reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskplug import Rng, units
from maskplug.replacements import Mix
from support import reference as ref
from support.batches import MASK, ORDINARY, VOCAB, batch, ragged, seeds

probabilities = st.tuples(st.floats(0, 1), st.floats(0, 1)).map(
    lambda pair: (pair[0], min(pair[1], 1.0 - pair[0]))
)


@pytest.mark.parametrize("unit", ["token", "word", "span"])
@given(rows=ragged(), seed=seeds, shares=probabilities, picks=st.randoms(use_true_random=False))
def test_mix_matches_reference(
    unit: Any, rows: list[list[int]], seed: int, shares: tuple[float, float], picks: Any
) -> None:
    tokens = batch(rows)
    selection = units(tokens, VOCAB, "word")
    selection = selection.take(np.array([picks.random() < 0.5 for _ in selection.starts], bool))
    rng = Rng.at(seed, 4, tokens.keys)
    inputs = Mix(*shares, unit).replace(tokens, selection, VOCAB, rng).to_lists()
    for i, row in enumerate(rows):
        groups = []
        for s in range(selection.offsets[i], selection.offsets[i + 1]):
            first = int(selection.starts[s] - tokens.offsets[i])
            span = list(range(first, first + int(selection.lengths[s])))
            groups += [[p] for p in span] if unit == "token" else [span]
        sample = ref.Sample(seed, 4, i)
        assert inputs[i] == ref.mix(sample, row, groups, *shares, MASK, ORDINARY)
