"""Tests of ``t5``, ``t5_iid``, ``prefix_lm`` and ``mass``."""

from __future__ import annotations

from typing import Any

import pytest

import maskplug
from maskplug.schedule import Linear
from support.batches import batch
from support.t5_rows import VOCAB, batch_of

TEXT = [2, 10, 11, 12, 13, 14, 15, 16, 17, 3]
SHORT_SPANS = {"rate": 0.5, "mean_length": 2}
TWO_SENTINELS = [2, 10, 1199, 13, 14, 1198, 17, 3]


@pytest.mark.parametrize(
    ("name", "options", "inputs", "targets"),
    [
        ("t5", SHORT_SPANS, TWO_SENTINELS, [1199, 11, 12, 1198, 15, 16, 3]),
        (
            "t5",
            {**SHORT_SPANS, "final_sentinel": True, "eos": False},
            TWO_SENTINELS,
            [1199, 11, 12, 1198, 15, 16, 1197],
        ),
        ("prefix_lm", {}, [2, 10, 11, 12, 3], [13, 14, 15, 16, 17, 3]),
        ("prefix_lm", {"eos": False}, [2, 10, 11, 12, 3], [13, 14, 15, 16, 17]),
    ],
)
def test_examples(name: str, options: dict[str, Any], inputs: list[int], targets: Any) -> None:
    # Search for a seed that gives the example; the objective determines whether there is one.
    strategy = maskplug.strategy(name, **options)
    seen = []
    for seed in range(400):
        masked = strategy(batch([TEXT]), VOCAB, seed=seed)
        seen.append((masked.inputs.to_lists(), masked.targets.to_lists()))
    assert ([inputs], [targets]) in seen


@pytest.mark.parametrize("name", ["t5", "t5_iid", "prefix_lm", "mass"])
@pytest.mark.parametrize("rate", [0.15, 0.4])
def test_lengths_stay_within_their_bounds(name: str, rate: float) -> None:
    tokens = batch_of(3_000, 60, True)
    for options in ({}, {"rate": rate}, {"rate": Linear(rate, 0.1)}):
        strategy = maskplug.strategy(name, **options)
        masked = strategy(tokens, VOCAB, seed=4)
        inputs, targets = strategy.bounds(tokens.lengths)
        assert (masked.inputs.lengths <= inputs).all()
        assert (masked.targets.lengths <= targets).all()
