"""Defects of reference code for discriminative and diffusion strategies that are avoided."""

from __future__ import annotations

import numpy as np

import maskplug
from support.batches import MASK, ORDINARY, VOCAB, batch, equal_rows, likely


def test_trap_11_electra_selects_distinct_tokens() -> None:
    # 19.2 tokens are requested; drawn with replacement, about 17.8 would be distinct.
    samples, length = 2_000, 128
    masked = maskplug.strategy("electra")(equal_rows(samples, length), VOCAB, seed=3)
    counts = masked.selection.mask.reshape(samples, length).sum(axis=1)
    assert set(counts.tolist()) == {19, 20}
    assert likely((counts == 20).sum(), samples, 0.2)
    assert (masked.selection.counts == counts).all()


def test_trap_11_electra_has_no_random_tokens() -> None:
    tokens = equal_rows(2_000, 20)
    masked = maskplug.strategy("electra")(tokens, VOCAB, seed=3)
    written = masked.inputs.values
    assert np.isin(written, [MASK, *ORDINARY]).all()
    assert ((written == tokens.ids) | (written == MASK)).all()


def test_trap_12_permutation_counts_whole_words() -> None:
    # Words of three pieces: n pieces from the start of a word rarely end at the end of a word,
    # and five pieces, rounded up to words, are at most two words.
    row = [token for word in range(60) for token in (6 + word % 40, 7, 9)]
    starts = [i % 3 == 0 for i in range(len(row))]
    tokens = batch([row] * 400, word_starts=[starts] * 400)
    masked = maskplug.strategy("permutation")(tokens, VOCAB, seed=3)
    selection = masked.selection
    assert (selection.starts % 3 == 0).all()
    assert (selection.lengths % 3 == 0).all()
    words = selection.lengths // 3
    assert set(words.tolist()) == {1, 2, 3, 4, 5}
    # Ten of sixty words in each row.
    assert masked.selection.mask.reshape(400, 180).sum(axis=1).tolist() == [30] * 400


def test_trap_17_a_prompt_is_never_masked() -> None:
    prompt, answer = ORDINARY[:6], ORDINARY[6:16]
    protected = [[True] * 6 + [False] * 10]
    tokens = batch([prompt + answer] * 500, protected=protected * 500)
    for name in ("llada", "mdlm", "block_diffusion"):
        masked = maskplug.strategy(name)(tokens, VOCAB, seed=1)
        mask = masked.selection.mask.reshape(500, 16)
        assert not mask[:, :6].any()
        assert (masked.inputs.values.reshape(500, 16)[:, :6] == prompt).all()
        assert (masked.weights.reshape(500, 16)[:, :6] == 0).all()
        assert mask[:, 6:].any(axis=0).all()


def test_trap_17_masks_are_identified_by_position() -> None:
    # The text contains mask tokens; comparing ids with the mask would predict them as well.
    row = [5, MASK, 6, 7, MASK, MASK, 8, 9]
    real = np.array(row) == MASK
    tokens = batch([row] * 500)
    for name in ("llada", "mdlm", "block_diffusion"):
        masked = maskplug.strategy(name)(tokens, VOCAB, seed=1)
        labels = masked.labels.values.reshape(500, 8)
        weights = masked.weights.reshape(500, 8)
        assert (labels[:, real] == -100).all()
        assert (weights[:, real] == 0).all()
        assert ((labels >= 0) == (weights > 0)).all()
        by_id = masked.inputs.values.reshape(500, 8) == MASK
        assert (by_id[:, real]).all()
        assert (by_id[:, ~real] == (labels[:, ~real] >= 0)).all()


def test_trap_17_prompt_length_does_not_change_the_answer() -> None:
    answer = ORDINARY[6:16]
    results = []
    for length in (0, 3, 6):
        protected = [[True] * length + [False] * 10]
        tokens = batch([ORDINARY[:length] + answer], protected=protected)
        masked = maskplug.strategy("llada")(tokens, VOCAB, seed=1, epoch=3)
        results.append((masked.inputs.values[length:].tolist(), masked.weights[length:].tolist()))
    assert results[0] == results[1] == results[2]
