"""Defects of reference code for masked language modelling that are avoided."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import maskplug
from maskplug import Rng
from support.batches import (
    BOS,
    EOS,
    MASK,
    ORDINARY,
    PAD,
    SPECIAL,
    VOCAB,
    batch,
    equal_rows,
    fits,
    likely,
)
from support.scale import scenes

N = 4_000
MASKED_LM = ["bert", "roberta", "ngram", "static", "dynamic", "whole_word", "span"]


@pytest.mark.parametrize("name", MASKED_LM)
def test_trap_04_specials_are_never_masked(name: str) -> None:
    # fairseq adds <s> before it draws positions, and masks <s> and </s> like other tokens.
    row = [BOS, *ORDINARY[:14], EOS]
    masked = maskplug.strategy(name, rate=0.5)(batch([row] * N), VOCAB, seed=1)
    mask = masked.selection.mask.reshape(N, 16)
    inputs = masked.inputs.values.reshape(N, 16)
    assert not mask[:, [0, 15]].any()
    assert (inputs[:, 0] == BOS).all()
    assert (inputs[:, 15] == EOS).all()
    assert mask[:, 1:15].any(axis=0).all()


def test_trap_05_no_two_samples_share_a_seed() -> None:
    # fairseq's hash((seed, epoch, index)) % 1e6 has 48,000 distinct seeds for these two million.
    epochs, samples = scenes(10, 100), 20_000
    t = np.repeat(np.arange(epochs), samples)
    keys = np.tile(np.arange(samples, dtype=np.uint64), epochs)
    rng = Rng.at(7, t, keys)
    assert len(np.unique(rng.stream_keys("exact"))) == epochs * samples


def test_trap_05_sets_of_positions_do_not_repeat() -> None:
    # With so few seeds, blocks of one length get the same positions up to 149 times per epoch.
    tokens = equal_rows(10_000, 128)
    mask = maskplug.strategy("roberta")(tokens, VOCAB, seed=1).selection.mask.reshape(-1, 128)
    assert len(np.unique(np.packbits(mask, axis=1), axis=0)) == 10_000


@pytest.mark.parametrize("name", MASKED_LM)
def test_trap_16_padding_and_specials_are_never_replaced(name: str) -> None:
    # ModernBERT's function writes masks and random ids over padding; only the labels are right.
    row = [BOS, *ORDINARY[:9], EOS, *[PAD] * 9]
    strategy = maskplug.strategy(name, rate=0.5, mask=0.5, random=0.5)
    inputs = strategy(batch([row] * N), VOCAB, seed=1).inputs.values.reshape(N, 20)
    assert (inputs[:, [0, *range(10, 20)]] == [row[0], *row[10:]]).all()


def test_trap_16_random_ids_are_drawn_from_the_vocabulary() -> None:
    # Drawn from [0, maximum id of the batch], they include special ids, and never the last ids.
    row = [5, 6, 7, 8] * 5
    strategy = maskplug.strategy("bert", rate=1.0, mask=0.0, random=1.0)
    inputs = strategy(batch([row] * N), VOCAB, seed=1).inputs.values
    counts = np.bincount(inputs, minlength=60)
    assert not counts[SPECIAL].any()
    assert fits(counts[ORDINARY], np.ones(len(ORDINARY)))


@pytest.mark.parametrize("name", MASKED_LM)
def test_trap_20_short_rows_have_a_label(name: str) -> None:
    # Independent draws leave 44 % of such rows without a label.
    masked = maskplug.strategy(name)(equal_rows(N, 5), VOCAB, seed=1)
    assert (masked.labels.values.reshape(N, 5) != -100).any(axis=1).all()


@pytest.mark.parametrize(
    ("name", "options", "unit"),
    [
        ("whole_word", {}, "word"),
        ("roberta", {"unit": "word"}, "word"),
        ("bert", {"unit": "word"}, "token"),
        ("ngram", {}, "token"),
    ],
)
def test_trap_20_whole_words_use_80_10_10(name: str, options: dict[str, Any], unit: str) -> None:
    # transformers writes only masks for whole words, and requires offset_mapping.
    pairs = [token for word in range(10, 26, 2) for token in (word, word + 1)]
    tokens = batch([pairs] * N)
    masked = maskplug.strategy(name, rate=0.4, **options)(tokens, VOCAB, seed=1)
    mask, inputs = masked.selection.mask, masked.inputs.values
    words = mask.reshape(-1, 2)
    assert (words[:, 0] == words[:, 1]).all()
    chosen = inputs[mask].reshape(-1, 2)
    hidden = chosen == MASK
    kept = chosen == tokens.ids[mask].reshape(-1, 2)
    # A random token equals the original in one of 54 cases.
    share = 0.1 + 0.1 / len(ORDINARY)
    for column in (0, 1):
        assert likely(hidden[:, column].sum(), len(chosen), 0.8)
        assert likely(kept[:, column].sum(), len(chosen), share)
    if unit == "word":
        assert (hidden[:, 0] == hidden[:, 1]).all()
    else:
        assert likely(hidden.all(axis=1).sum(), len(chosen), 0.64)


@pytest.mark.parametrize(("name", "options"), [("bert", {"unit": "word"}), ("whole_word", {})])
def test_trap_23_rows_of_long_words_have_a_prediction(name: str, options: dict[str, Any]) -> None:
    # Fourteen tokens in words of three pieces with a budget of two: BERT skips every word.
    row = [BOS, *[token for i in range(4) for token in (10 + 6 * i, 11 + 6 * i, 13 + 6 * i)], EOS]
    assert len(row) == 14
    mask = maskplug.strategy(name, **options)(batch([row] * 200), VOCAB, seed=1).selection.mask
    assert (mask.reshape(200, 14).sum(axis=1) == 3).all()
