"""Tests of the target ``fragment``."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskplug import Masked, Ragged, Rng, Selection, TokenBatch, Vocabulary
from maskplug.errors import VocabularyError
from maskplug.selectors import Fragment as Selector
from maskplug.targets import Fragment
from support.batches import VOCAB, batch, ragged, seeds, select


def build(tokens: TokenBatch, selection: Selection, vocab: Vocabulary = VOCAB) -> Masked:
    inputs = Ragged(tokens.ids, tokens.offsets)
    return Fragment().build(tokens, Masked(inputs, selection), vocab, Rng.at(0, 0, tokens.keys))


@given(ragged(), seeds, st.floats(0, 1))
def test_position_ids_and_decoder_input_ids(rows: list[list[int]], seed: int, rate: float) -> None:
    tokens = batch(rows)
    result = build(tokens, select(Selector(rate), tokens, seed))
    places, before = (
        Ragged(result.target_annotations[name], result.targets.offsets).to_lists()
        for name in ("position_ids", "decoder_input_ids")
    )
    targets = result.targets.to_lists()
    for row, target, at, decoder_inputs in zip(rows, targets, places, before, strict=True):
        assert target == [row[i] for i in at]
        assert decoder_inputs == [row[i - 1] if i else VOCAB.bos_id for i in at]
        assert at == sorted(at)


@pytest.mark.parametrize(
    ("ids", "first"),
    [
        ({"bos_id": 2, "eos_id": 3, "pad_id": 0}, 2),
        ({"eos_id": 3, "pad_id": 0}, 3),
        ({"pad_id": 0}, 0),
    ],
)
def test_decoder_start_token(ids: dict[str, int], first: int) -> None:
    tokens = batch([[5, 6], [7]])
    everything = Selection.from_mask(np.ones(3, bool), tokens)
    result = build(tokens, everything, Vocabulary(size=10, **ids))
    assert result.target_annotations["decoder_input_ids"].tolist() == [first, 5, first]
    assert result.target_annotations["position_ids"].tolist() == [0, 1, 0]


def test_missing_start_token_raises() -> None:
    tokens = batch([[5]])
    with pytest.raises(VocabularyError, match="neither bos_id nor eos_id nor pad_id"):
        build(tokens, Selection.from_mask(np.ones(1, bool), tokens), Vocabulary(size=10))
