"""Tests of the strategy ``gap_sentences``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import maskplug
from maskplug import Masked, TokenBatch, Vocabulary
from maskplug.errors import VocabularyError
from maskplug.rng import Rng
from support.batches import EOS, batch
from support.cases import RICH
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


def restored(tokens: TokenBatch, masked: Masked) -> tuple[Any, Any]:
    """Return the inputs with their masks replaced by the sentences of the targets."""
    selection, targets = masked.selection, masked.targets
    ends = np.zeros(len(targets.values), bool)
    ends[targets.offsets[1:] - 1] = True
    assert (targets.values[ends] == EOS).all()
    sentences = np.split(targets.values[~ends], np.cumsum(selection.lengths)[:-1])
    gaps = np.flatnonzero(masked.inputs.values == GAP)
    assert len(gaps) == len(selection.starts)
    pieces = np.split(masked.inputs.values, gaps)
    out = [pieces[0]]
    for piece, sentence in zip(pieces[1:], sentences, strict=False):
        out += [sentence, piece[1:]]
    return np.concatenate(out), tokens.ids


@pytest.mark.parametrize("options", VARIANTS, ids=str)
def test_round_trip(options: dict[str, Any]) -> None:
    tokens = texts(ROWS // len(VARIANTS))
    strategy = maskplug.strategy("gap_sentences", **options)
    masked = strategy(tokens, RICH, seed=5)
    again, original = restored(tokens, masked)
    assert np.array_equal(again, original)
    inputs, targets = strategy.bounds(tokens.lengths)
    assert (masked.inputs.lengths <= inputs).all()
    assert (masked.targets.lengths <= targets).all()


def test_targets_are_the_selected_sentences() -> None:
    row = [2, 10, 7, 12, 7, 10, 12, 7, 3]
    options = {"rate": 0.7, "choose": "principal"}
    masked = maskplug.strategy("gap_sentences", **options)(batch([row, [], [3]]), RICH)
    assert masked.inputs.to_lists() == [[2, 10, 7, GAP, GAP, 3], [], [3]]
    assert masked.targets.to_lists() == [[12, 7, 10, 12, 7, EOS], [EOS], [EOS]]


def test_kept_sentences_are_in_inputs_and_targets() -> None:
    row = [2, 10, 11, 7, 12, 13, 7, 3]
    options = {"choose": "lead", "rate": 0.5, "keep": 1.0}
    masked = maskplug.strategy("gap_sentences", **options)(batch([row]), RICH)
    assert masked.inputs.to_lists() == [row]
    assert masked.targets.to_lists() == [[10, 11, 7, EOS]]


def test_choice_of_the_mask_token() -> None:
    row = [10, 7, 12, 7]
    plain = Vocabulary(size=60, mask_id=4, eos_id=3, sentence_end=np.arange(60) == 7)
    lead = {"choose": "lead", "rate": 0.5}
    for vocab, options, token in ((RICH, {}, GAP), (plain, {}, 4), (RICH, {"token": "[X]"}, 62)):
        masked = maskplug.strategy("gap_sentences", **lead, **options)(batch([row]), vocab)
        assert masked.inputs.to_lists() == [[token, 12, 7]]
    with pytest.raises(VocabularyError, match="'<mask_9>', which is not in the vocabulary"):
        maskplug.strategy("gap_sentences", token="<mask_9>")(batch([row]), RICH)


def test_deterministic_variants_are_static() -> None:
    def timeless(**options: Any) -> bool:
        return maskplug.strategy("gap_sentences", **options).is_static

    assert timeless()
    assert timeless(choose="lead")
    assert not timeless(choose="random")
    assert not timeless(keep=0.1)
    assert not timeless(rate={"name": "linear", "start": 0.1, "end": 0.3})
