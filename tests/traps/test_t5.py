"""Defects of reference code for T5, MASS and fill in the middle that are avoided."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

import maskplug
from maskplug import Vocabulary
from maskplug.objectives import reconstruct as restore
from maskplug.ragged import Ragged
from maskplug.selectors import MeanSpans
from support.batches import batch, equal_rows, fits, likely, select
from support.t5_rows import (
    MIDDLE,
    PREFIX,
    SENTINELS,
    SUFFIX,
    TEXTUAL,
    VOCAB,
    Greedy,
    batch_of,
    rows_of,
)


def test_trap_01_mass_masks_exactly_the_predicted_tokens() -> None:
    # An off-by-one let the encoder see the first token that the decoder must predict, and masked
    # two tokens after the fragment that are never predicted.
    tokens = equal_rows(500, 40)
    masked = maskplug.strategy("mass", mask=1.0, random=0.0)(tokens, VOCAB, seed=1)
    places = Ragged(masked.target_annotations["position_ids"], masked.targets.offsets)
    for inputs, at, row in zip(masked.inputs, places, tokens.ids.reshape(500, 40), strict=True):
        hidden = np.flatnonzero(inputs == VOCAB.mask_id)
        assert hidden.tolist() == at.tolist()
        assert len(hidden) == 20
        assert (np.delete(inputs, hidden) == np.delete(row, hidden)).all()


@pytest.mark.parametrize("name", ["t5", "t5_iid"])
def test_trap_06_rows_that_start_with_a_span_round_trip(name: str) -> None:
    # With a span at the first token, the target's first sentinel introduced the second span.
    tokens = equal_rows(2_000, 12)
    masked = maskplug.strategy(name, rate=0.4)(tokens, VOCAB, seed=2)
    first = 0
    for i, (inputs, targets) in enumerate(zip(masked.inputs, masked.targets, strict=True)):
        row = tokens.ids[12 * i : 12 * i + 12]
        if inputs[0] == SENTINELS[0]:
            first += 1
            assert targets[:2].tolist() == [SENTINELS[0], row[0]]
        assert restore.from_sentinels(inputs, targets, VOCAB).tolist() == row.tolist()
    assert first > 200


def test_trap_07_single_span_is_anywhere() -> None:
    # Without a roll, one span was always the end of the row: [435, 512) in every sample of UL2's
    # extreme denoiser with spans of 64 at 15 %.
    selection = select(MeanSpans(0.15, 64.0), equal_rows(2_000, 512), 4)
    assert selection.counts.tolist() == [1] * 2_000
    starts = selection.starts % 512
    assert fits(np.histogram(starts, bins=15, range=(0, 435))[0], np.ones(15))
    assert (starts + selection.lengths < 512).mean() > 0.95
    spans = select(MeanSpans(0.15), equal_rows(4_000, 10), 4)
    places = Counter((spans.starts[spans.lengths == 1] % 10).tolist())
    assert fits([places[i] for i in range(10)], np.ones(10))


def test_trap_07_both_ends_can_be_masked() -> None:
    # One span of three tokens in a row of 20, uniform over 18 positions.
    samples = 20_000
    masked = maskplug.strategy("t5")(equal_rows(samples, 20), VOCAB, seed=1)
    hidden = masked.selection.mask.reshape(samples, 20).sum(axis=0)
    for place, ways in enumerate([1, 2, *[3] * 16, 2, 1]):
        assert likely(hidden[place], samples, ways / 18)


@pytest.mark.parametrize(("rate", "mean"), [(0.6, 1.0), (0.9, 1.0), (0.9, 3.0), (0.5, 1.0)])
def test_trap_08_high_densities_and_short_rows_work(rate: float, mean: float) -> None:
    # Cutting the visible tokens into as many pieces as there are spans raised an error.
    tokens = batch([[2, *[7] * n, 3] for n in range(60)])
    masked = maskplug.strategy("t5", rate=rate, mean_length=mean)(tokens, VOCAB, seed=1)
    counts = [int(part.sum()) for part in np.split(masked.selection.mask, tokens.offsets[1:-1])]
    assert counts[:3] == [0, 1, 1]
    assert all(abs(hidden - rate * n) <= 1 for n, hidden in enumerate(counts))
    assert all(hidden < n for n, hidden in enumerate(counts) if n > 1)


def test_trap_09_lengths_agree_with_the_mask_for_every_length() -> None:
    # A helper rounded in another precision than the mask: 29 lengths were off by one.
    vocab = Vocabulary(size=1200, eos_id=3, sentinel_ids=SENTINELS)
    lengths = np.arange(1, 3_000)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    tokens = maskplug.TokenBatch.from_flat(np.full(offsets[-1], 7), offsets, lengths.astype("u8"))
    strategy = maskplug.strategy("t5", rate=0.15)
    masked = strategy(tokens, vocab, seed=1)
    hidden = np.add.reduceat(masked.selection.mask, offsets[:-1])
    spans = masked.selection.counts
    assert (masked.targets.lengths == hidden + spans + 1).all()
    assert (masked.inputs.lengths == lengths - hidden + spans).all()
    exact = 0.15 * lengths
    assert ((hidden >= np.floor(exact)) & (hidden <= np.maximum(np.ceil(exact), 1))).all()
    assert (spans == np.maximum(np.rint(hidden / 3), 1)).all()
    inputs, targets = strategy.bounds(lengths)
    assert (masked.inputs.lengths <= inputs).all()
    assert (masked.targets.lengths <= targets).all()


def test_trap_10_sentinels_come_from_the_vocabulary() -> None:
    # Sentinels were computed from the vocabulary's size, in rising order, and a filter on ids > 0
    # removed tokens whose id is 0.
    vocab = Vocabulary(size=50, eos_id=1, sentinel_ids=[30, 12, 45, 20])
    rows = [[0, 5, 0, 0, 6, 7, 0, 8, 0, 9]] * 400
    masked = maskplug.strategy("t5", rate=0.4, mean_length=1.0)(batch(rows), vocab, seed=3)
    assert masked.selection.counts.tolist() == [4] * 400
    for inputs, targets, row in zip(masked.inputs, masked.targets, rows, strict=True):
        assert inputs[np.isin(inputs, vocab.sentinel_ids)].tolist() == [30, 12, 45, 20]
        assert targets[np.isin(targets, vocab.sentinel_ids)].tolist() == [30, 12, 45, 20]
        assert (inputs == 0).sum() + (targets == 0).sum() == 5
        assert restore.from_sentinels(inputs, targets, vocab).tolist() == row
    padded = Vocabulary(size=50, pad_id=0, eos_id=1, sentinel_ids=[30, 12, 45, 20])
    masked = maskplug.strategy("t5", rate=0.4)(batch(rows), padded, seed=3)
    assert all((inputs == 0).sum() == 5 for inputs in masked.inputs)


def test_trap_15_fim_loses_no_token() -> None:
    # The sample was truncated to the length of the original, and could lose its middle.
    tokens = batch_of(2_000, 80, True)
    masked = maskplug.strategy("fim", rate=1.0)(tokens, VOCAB, seed=1)
    moved = tokens.lengths > 2
    assert masked.labels.to_lists() == masked.inputs.to_lists()
    assert (masked.inputs.lengths == tokens.lengths + 3 * moved).all()
    for inputs, row, is_moved in zip(masked.inputs, rows_of(tokens), moved, strict=True):
        marks = inputs[np.isin(inputs, (PREFIX, MIDDLE, SUFFIX))]
        assert marks.tolist() == ([PREFIX, SUFFIX, MIDDLE] if is_moved else [])
        assert sorted([*row, *marks]) == sorted(inputs)


def test_trap_15_character_level_fim_loses_no_text() -> None:
    text = [41, 5, 31, 43] * 6
    tokens = batch([[2, *text[:n], 3] for n in range(1, 25)] * 20)
    masked = maskplug.strategy("fim", rate=1.0, level="character")(tokens, TEXTUAL, seed=1)
    for inputs, row in zip(masked.inputs, rows_of(tokens), strict=True):
        letters = [i for i in inputs[1:-1] if i not in (PREFIX, MIDDLE, SUFFIX)]
        assert sorted(Greedy().decode(letters)) == sorted(Greedy().decode(row[1:-1]))
        assert len(inputs) - len(letters) == 5


def test_trap_19_short_texts_have_a_fragment() -> None:
    # The last, short block of a text could get an empty fragment.
    tokens = batch([[2, *[7] * n, 3] for n in range(1, 12)] * 20)
    masked = maskplug.strategy("mass", rate=0.1)(tokens, VOCAB, seed=1)
    assert masked.targets.lengths.tolist() == [1] * len(tokens)
    whole = batch([[7] * 64, [7] * 3])
    assert maskplug.strategy("mass")(whole, VOCAB).selection.lengths.tolist() == [32, 2]
