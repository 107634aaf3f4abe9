"""Tests of the targets ``chosen`` and ``original``."""

from __future__ import annotations

from hypothesis import given

import maskplug
from maskplug import Vocabulary
from maskplug.selectors import Exact, Spans
from maskplug.targets import Chosen, Original
from support.batches import EOS, VOCAB, batch, ragged, seeds


@given(ragged(), seeds)
def test_inputs_and_targets_form_the_row(rows: list[list[int]], seed: int) -> None:
    tokens = batch(rows)
    masked = maskplug.compose(Spans(0.4), "delete", Chosen())(tokens, VOCAB, seed=seed)
    for row, kept, gone in zip(rows, masked.inputs, masked.targets, strict=True):
        assert gone[-1] == EOS
        assert sorted([*kept, *gone[:-1]]) == sorted(row)


def test_no_eos_if_disabled_or_missing() -> None:
    tokens = batch([[5, 6, 7]])
    for target, vocab in ((Chosen(eos=False), VOCAB), (Chosen(), Vocabulary(size=60, mask_id=4))):
        masked = maskplug.compose(Exact(1.0), "delete", target)(tokens, vocab)
        assert masked.targets.to_lists() == [[5, 6, 7]]


def test_original_includes_special_tokens() -> None:
    tokens = batch([[2, 5, 6, 3], []])
    masked = maskplug.compose(Exact(), "delete", Original())(tokens, VOCAB)
    assert masked.targets.to_lists() == [[2, 5, 6, 3], []]
