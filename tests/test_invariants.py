"""What holds for every built-in strategy, whatever the rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import maskplug
from maskplug import Selection, Vocabulary, units
from support.batches import (
    MASK,
    ORDINARY,
    SPECIAL,
    STRATEGIES,
    VOCAB,
    batch,
    equal_rows,
    fits,
    likely,
    made,
    ragged,
    seeds,
)

every = pytest.mark.parametrize("case", STRATEGIES)
drawing = pytest.mark.parametrize("case", [case for case in STRATEGIES if case != "none"])
predicting = pytest.mark.parametrize(
    "case", [c for c in STRATEGIES if c not in ("none", "word_dropout")]
)
rates = st.one_of(st.sampled_from([0.0, 1.0, 0.15]), st.floats(0, 1))


def with_rate(case: str, rate: float) -> maskplug.Strategy:
    return made(case) if case == "none" else made(case, rate=rate)


@every
@given(rows=ragged(), seed=seeds, epoch=st.integers(0, 9), rate=rates)
def test_specials_labels_and_untouched_tokens(
    case: str, rows: list[list[int]], seed: int, epoch: int, rate: float
) -> None:
    tokens = batch(rows)
    masked = with_rate(case, rate)(tokens, VOCAB, seed=seed, epoch=epoch)
    mask, inputs, labels = masked.selection.mask, masked.inputs, masked.labels
    assert labels is not None
    assert inputs.offsets.tolist() == labels.offsets.tolist() == tokens.offsets.tolist()
    assert not mask[np.isin(tokens.ids, SPECIAL)].any()
    assert (inputs.values[~mask] == tokens.ids[~mask]).all()
    assert (labels.values[~mask] == -100).all()
    assert (labels.values[mask] == tokens.ids[mask]).all()
    assert np.isin(inputs.values[mask], [MASK, *ORDINARY]).all()


@every
@given(rows=ragged(), seed=seeds, rate=rates)
def test_selections_are_sorted_disjoint_and_within_their_rows(
    case: str, rows: list[list[int]], seed: int, rate: float
) -> None:
    tokens = batch(rows)
    selection = with_rate(case, rate)(tokens, VOCAB, seed=seed).selection
    ends = selection.starts + selection.lengths
    assert (selection.lengths > 0).all()
    assert (selection.starts[1:] >= ends[:-1]).all()
    row = np.searchsorted(tokens.offsets, selection.starts, side="right") - 1
    assert (ends <= tokens.offsets[row + 1]).all()
    assert np.bincount(row, minlength=len(tokens)).tolist() == selection.counts.tolist()


@pytest.mark.parametrize(
    "case", ["dynamic-words", "bert-words", "whole_word", "span", "ngram", "word_dropout"]
)
@given(rows=ragged(), seed=seeds, rate=rates)
def test_whole_words_are_never_split(
    case: str, rows: list[list[int]], seed: int, rate: float
) -> None:
    tokens = batch(rows)
    mask = made(case, rate=rate)(tokens, VOCAB, seed=seed).selection.mask
    words = units(tokens, VOCAB, "word")
    for start, length in zip(words.starts, words.lengths, strict=True):
        assert mask[start : start + length].sum() in (0, length)


@predicting
@given(rows=ragged(), seed=seeds, rate=st.floats(1e-6, 1))
def test_no_row_without_prediction(
    case: str, rows: list[list[int]], seed: int, rate: float
) -> None:
    tokens = batch(rows)
    selection = made(case, rate=rate)(tokens, VOCAB, seed=seed).selection
    anything = units(tokens, VOCAB).counts > 0
    assert ((selection.counts > 0) == anything).all()


@drawing
@given(rows=ragged(), seed=seeds)
def test_rate_zero_masks_nothing(case: str, rows: list[list[int]], seed: int) -> None:
    tokens = batch(rows)
    masked = made(case, rate=0.0)(tokens, VOCAB, seed=seed)
    assert masked.inputs.values.tolist() == tokens.ids.tolist()
    assert not masked.selection.mask.any()


@predicting
@given(rows=ragged(), seed=seeds)
def test_rate_one_selects_everything(case: str, rows: list[list[int]], seed: int) -> None:
    tokens = batch(rows)
    mask = made(case, rate=1.0)(tokens, VOCAB, seed=seed).selection.mask
    assert (mask == ~VOCAB.special[tokens.ids]).all()


UNIT = {"dynamic-words": "word", "span": "word", "ngram": "word"}


@pytest.mark.parametrize(
    "case", ["static", "dynamic", "dynamic-words", "roberta", "span", "span-tokens", "ngram"]
)
@given(rows=ragged(), seed=seeds, rate=st.floats(0.01, 1))
def test_budgets_are_exact(case: str, rows: list[list[int]], seed: int, rate: float) -> None:
    tokens = batch(rows)
    mask = made(case, rate=rate)(tokens, VOCAB, seed=seed).selection.mask
    candidates = units(tokens, VOCAB, UNIT.get(case, "token"))  # type: ignore[arg-type]
    hit = mask[candidates.starts]
    for i in range(len(tokens)):
        chosen = int(hit[candidates.offsets[i] : candidates.offsets[i + 1]].sum())
        wanted = rate * int(candidates.counts[i])
        least = int(wanted > 0)
        assert max(np.floor(wanted), least) <= chosen <= max(np.ceil(wanted), least)


@pytest.mark.parametrize("case", ["dynamic", "span-tokens"])
@pytest.mark.parametrize(("length", "rate", "up"), [(64, 0.15, 0.6), (10, 0.25, 0.5)])
def test_budgets_are_exact_on_average(case: str, length: int, rate: float, up: float) -> None:
    samples = 4_000
    tokens = equal_rows(samples, length)
    mask = made(case, rate=rate)(tokens, VOCAB, seed=3).selection.mask
    counts = mask.reshape(samples, length).sum(axis=1)
    low = int(rate * length)
    assert set(counts.tolist()) == {low, low + 1}
    assert likely((counts > low).sum(), samples, up)


@pytest.mark.parametrize(
    "case", ["static", "bert", "bert-words", "dynamic", "roberta", "whole_word", "span-tokens"]
)
def test_rows_of_five_tokens_have_a_label(case: str) -> None:
    masked = made(case, rate=0.15)(equal_rows(2_000, 5), VOCAB, seed=1)
    assert masked.selection.mask.reshape(-1, 5).any(axis=1).all()


@pytest.mark.parametrize(
    "case", ["bert", "bert-words", "dynamic", "dynamic-words", "whole_word", "word_dropout"]
)
def test_positions_are_selected_uniformly(case: str) -> None:
    # Words of one token each, so that positions are exchangeable for all of these strategies.
    even = [i for i in ORDINARY if i % 2 == 0]
    samples = 6_000
    rows = np.tile(np.resize(even, 20), samples)
    tokens = maskplug.TokenBatch.from_flat(rows, np.arange(samples + 1) * 20, range(samples))
    mask = made(case, rate=0.3)(tokens, VOCAB, seed=5).selection.mask.reshape(-1, 20)
    assert all(likely(count, samples, 0.3) for count in mask.sum(axis=0))


def test_subsets_are_uniform() -> None:
    samples = 20_000
    mask = made("dynamic", rate=0.5)(equal_rows(samples, 6), VOCAB, seed=5).selection.mask
    codes = mask.reshape(-1, 6) @ (1 << np.arange(6))
    counts = np.bincount(codes, minlength=64)
    three = [code for code in range(64) if code.bit_count() == 3]
    assert counts[three].sum() == samples
    assert fits(counts[three], np.ones(20))


def test_protected_tokens_are_treated_as_special() -> None:
    tokens = batch([ORDINARY[:20]] * 30, protected=[[i < 15 for i in range(20)]] * 30)
    for case in STRATEGIES:
        mask = with_rate(case, 1.0)(tokens, VOCAB).selection.mask.reshape(30, 20)
        assert not mask[:, :15].any()
        assert case in ("none", "word_dropout") or mask[:, 15:].all()


def test_none_changes_nothing_and_needs_no_mask() -> None:
    vocab = Vocabulary(size=60, special_ids=SPECIAL)
    tokens = equal_rows(3, 10)
    masked = maskplug.strategy("none")(tokens, vocab)
    assert masked.inputs.values.tolist() == tokens.ids.tolist()
    assert masked.labels is not None
    assert (masked.labels.values == -100).all()


def test_word_dropout_keeps_at_least_one_word() -> None:
    masked = made("word_dropout", rate=1.0)(equal_rows(500, 12), VOCAB)
    words: Selection = units(equal_rows(1, 12), VOCAB, "word")
    left = (~masked.selection.mask).reshape(500, 12)
    seen = {tuple(np.flatnonzero(row)) for row in left}
    spans = zip(words.starts, words.lengths, strict=True)
    whole: set[Any] = {tuple(range(start, start + length)) for start, length in spans}
    assert seen == whole
    assert (masked.inputs.values[masked.selection.mask] == MASK).all()
