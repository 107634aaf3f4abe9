"""Tests of the strategy ``gap_sentences``."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import maskplug
from maskplug import TokenBatch
from maskplug.objectives.reconstruct import from_marks
from maskplug.rng import Rng
from support.batches import EOS, batch
from support.cases import RICH
from support.denoising import spans_of
from support.scale import scenes

GAP = 66
ROWS = scenes(400, 10_000)
VARIANTS = [
    {"choose": "random"},
    {"choose": "lead", "rate": 0.5},
    {"choose": "principal", "rate": 0.2},
    {"choose": "principal", "sequential": True, "unique": True, "rate": 0.4},
]


def texts(rows: int) -> TokenBatch:
    """Return random rows of 0 to 600 ids with full stops and special tokens."""
    rng = Rng.at(99, 0, range(rows))
    lengths = rng.integers("test length", np.ones(rows, np.int64), 601)
    ids = rng.integers("test id", lengths, 60)
    ids[ids == 4] = 10
    ids[rng.bernoulli("test stop", lengths, 0.1)] = 7
    return TokenBatch.from_flat(ids, np.concatenate(([0], np.cumsum(lengths))), range(rows))


@pytest.mark.parametrize("options", VARIANTS, ids=str)
def test_round_trip(options: dict[str, Any]) -> None:
    tokens = texts(ROWS // len(VARIANTS))
    strategy = maskplug.strategy("gap_sentences", **options)
    masked = strategy(tokens, RICH, seed=5)
    inputs, targets, spans = (
        list(masked.inputs),
        list(masked.targets),
        spans_of(masked.selection, tokens),
    )
    for i, row in enumerate(tokens.ids[a:b] for a, b in pairwise(tokens.offsets)):
        lengths = [length for _, length in spans[i]]
        assert targets[i][-1] == EOS
        pieces = np.split(targets[i][:-1], np.cumsum(lengths)[:-1])[: len(lengths)]
        assert from_marks(inputs[i], pieces, GAP).tolist() == row.tolist()
    most, longest_targets = strategy.bounds(tokens.lengths)
    assert (masked.inputs.lengths <= most).all()
    assert (masked.targets.lengths <= longest_targets).all()


def test_targets_are_the_selected_sentences() -> None:
    row = [2, 10, 7, 12, 7, 10, 12, 7, 3]
    options = {"rate": 0.7, "choose": "principal"}
    masked = maskplug.strategy("gap_sentences", **options)(batch([row, [], [3]]), RICH)
    assert masked.inputs.to_lists() == [[2, 10, 7, GAP, GAP, 3], [], [3]]
    assert masked.targets.to_lists() == [[12, 7, 10, 12, 7, EOS], [EOS], [EOS]]


def test_kept_sentences_and_another_mask_token() -> None:
    row = [2, 10, 11, 7, 12, 13, 7, 3]
    for options, inputs in (
        ({"keep": 1.0}, row),
        ({"token": "[X]"}, [2, 62, 12, 13, 7, 3]),
    ):
        strategy = maskplug.strategy("gap_sentences", choose="lead", rate=0.5, **options)
        masked = strategy(batch([row]), RICH)
        assert masked.inputs.to_lists() == [inputs]
        assert masked.targets.to_lists() == [[10, 11, 7, EOS]]


def test_deterministic_variants_are_static() -> None:
    def is_static(**options: Any) -> bool:
        return maskplug.strategy("gap_sentences", **options).is_static

    assert is_static()
    assert is_static(choose="lead")
    assert not is_static(choose="random")
    assert not is_static(keep=0.1)
    assert not is_static(rate={"name": "linear", "start": 0.1, "end": 0.3})
