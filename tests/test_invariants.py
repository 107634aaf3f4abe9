"""Invariants of masks, and independence from everything but key, seed, t and strategy."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import maskplug
from maskplug import Masked, Selection, TokenBatch, Vocabulary, units
from support.batches import (
    EOS,
    MASK,
    ORDINARY,
    PAD,
    SPECIAL,
    STRATEGIES,
    VOCAB,
    batch,
    equal_rows,
    fits,
    likely,
    ragged,
    seeds,
    strategy_of,
)

every = pytest.mark.parametrize("case", STRATEGIES)
predicting = pytest.mark.parametrize(
    "case", [c for c in STRATEGIES if c not in ("none", "word_dropout")]
)
rates = st.one_of(st.sampled_from([0.0, 1.0, 0.15]), st.floats(0, 1))


def with_rate(case: str, rate: float) -> maskplug.Strategy:
    return strategy_of(case) if case == "none" else strategy_of(case, rate=rate)


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


@pytest.mark.parametrize(
    "case", ["dynamic-words", "bert-words", "whole_word", "span", "ngram", "word_dropout"]
)
@given(rows=ragged(), seed=seeds, rate=rates)
def test_whole_words_are_never_split(
    case: str, rows: list[list[int]], seed: int, rate: float
) -> None:
    tokens = batch(rows)
    mask = strategy_of(case, rate=rate)(tokens, VOCAB, seed=seed).selection.mask
    words = units(tokens, VOCAB, "word")
    for start, length in zip(words.starts, words.lengths, strict=True):
        assert mask[start : start + length].sum() in (0, length)


@predicting
@given(rows=ragged(), seed=seeds, rate=st.floats(1e-6, 1))
def test_no_row_without_prediction(
    case: str, rows: list[list[int]], seed: int, rate: float
) -> None:
    tokens = batch(rows)
    selection = strategy_of(case, rate=rate)(tokens, VOCAB, seed=seed).selection
    anything = units(tokens, VOCAB).counts > 0
    assert ((selection.counts > 0) == anything).all()


@pytest.mark.parametrize("case", [case for case in STRATEGIES if case != "none"])
@given(rows=ragged(), seed=seeds)
def test_rate_zero_masks_nothing(case: str, rows: list[list[int]], seed: int) -> None:
    tokens = batch(rows)
    masked = strategy_of(case, rate=0.0)(tokens, VOCAB, seed=seed)
    assert masked.inputs.values.tolist() == tokens.ids.tolist()
    assert not masked.selection.mask.any()


@predicting
@given(rows=ragged(), seed=seeds)
def test_rate_one_selects_everything(case: str, rows: list[list[int]], seed: int) -> None:
    tokens = batch(rows)
    mask = strategy_of(case, rate=1.0)(tokens, VOCAB, seed=seed).selection.mask
    assert (mask == ~VOCAB.special[tokens.ids]).all()


UNIT = {"dynamic-words": "word", "span": "word", "ngram": "word"}


@pytest.mark.parametrize(
    "case", ["static", "dynamic", "dynamic-words", "roberta", "span", "span-tokens", "ngram"]
)
@given(rows=ragged(), seed=seeds, rate=st.floats(0.01, 1))
def test_budgets_are_exact(case: str, rows: list[list[int]], seed: int, rate: float) -> None:
    tokens = batch(rows)
    mask = strategy_of(case, rate=rate)(tokens, VOCAB, seed=seed).selection.mask
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
    mask = strategy_of(case, rate=rate)(tokens, VOCAB, seed=3).selection.mask
    counts = mask.reshape(samples, length).sum(axis=1)
    low = int(rate * length)
    assert set(counts.tolist()) == {low, low + 1}
    assert likely((counts > low).sum(), samples, up)


@pytest.mark.parametrize(
    "case", ["bert", "bert-words", "dynamic", "dynamic-words", "whole_word", "word_dropout"]
)
def test_positions_are_selected_uniformly(case: str) -> None:
    # Words of one token each, so that positions are exchangeable for all of these strategies.
    even = [i for i in ORDINARY if i % 2 == 0]
    samples = 6_000
    rows = np.tile(np.resize(even, 20), samples)
    tokens = maskplug.TokenBatch.from_flat(rows, np.arange(samples + 1) * 20, range(samples))
    mask = strategy_of(case, rate=0.3)(tokens, VOCAB, seed=5).selection.mask.reshape(-1, 20)
    assert all(likely(count, samples, 0.3) for count in mask.sum(axis=0))


def test_subsets_are_uniform() -> None:
    samples = 20_000
    mask = strategy_of("dynamic", rate=0.5)(equal_rows(samples, 6), VOCAB, seed=5).selection.mask
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
    masked = strategy_of("word_dropout", rate=1.0)(equal_rows(500, 12), VOCAB)
    words: Selection = units(equal_rows(1, 12), VOCAB, "word")
    left = (~masked.selection.mask).reshape(500, 12)
    seen = {tuple(np.flatnonzero(row)) for row in left}
    spans = zip(words.starts, words.lengths, strict=True)
    whole: set[Any] = {tuple(range(start, start + length)) for start, length in spans}
    assert seen == whole
    assert (masked.inputs.values[masked.selection.mask] == MASK).all()


def lists(masked: Masked) -> list[tuple[list[int], list[int]]]:
    """Inputs and labels of every row."""
    assert masked.labels is not None
    return list(zip(masked.inputs.to_lists(), masked.labels.to_lists(), strict=True))


@every
@given(rows=ragged(), seed=seeds, order=st.randoms(use_true_random=False))
def test_masks_do_not_depend_on_order_or_batch(
    case: str, rows: list[list[int]], seed: int, order: random.Random
) -> None:
    strategy = strategy_of(case)
    together = lists(strategy(batch(rows), VOCAB, seed=seed, epoch=3))
    picked = [i for i in range(len(rows)) if order.random() < 0.7]
    order.shuffle(picked)
    part = batch([rows[i] for i in picked], keys=picked)
    assert lists(strategy(part, VOCAB, seed=seed, epoch=3)) == [together[i] for i in picked]
    for i, row in enumerate(rows):
        assert lists(strategy(batch([row], keys=[i]), VOCAB, seed=seed, epoch=3)) == [together[i]]


# BERT's budget is a share of the row with its special tokens; padding alone leaves it alone.
@pytest.mark.parametrize("case", [case for case in STRATEGIES if not case.startswith("bert")])
@given(rows=ragged(), seed=seeds, left=st.integers(0, 3), right=st.integers(0, 5))
def test_masks_do_not_depend_on_special_tokens_around_a_sample(
    case: str, rows: list[list[int]], seed: int, left: int, right: int
) -> None:
    strategy = strategy_of(case)
    bare = lists(strategy(batch(rows), VOCAB, seed=seed, epoch=1))
    for before, after in (([2] * left, [EOS] + [PAD] * right), ([PAD] * left, [59] * right)):
        dressed = [[*before, *row, *after] for row in rows]
        for (inputs, labels), (plain, wanted) in zip(
            lists(strategy(batch(dressed), VOCAB, seed=seed, epoch=1)), bare, strict=True
        ):
            assert inputs == [*before, *plain, *after]
            assert labels == [-100] * len(before) + wanted + [-100] * len(after)


def test_default_key_is_the_content() -> None:
    rows = [np.resize(ORDINARY, 30).tolist()] * 2 + [np.resize(ORDINARY[1:], 30).tolist()]
    masks = strategy_of("dynamic")(TokenBatch.from_lists(rows), VOCAB).selection.mask.reshape(3, 30)
    assert (masks[0] == masks[1]).all()
    assert (masks[0] != masks[2]).any()


def test_masks_of_100000_samples_are_distinct() -> None:
    strategy = maskplug.strategy("dynamic", rate=0.15)
    seen = set()
    for first in range(0, 100_000, 20_000):
        tokens = equal_rows(20_000, 128, first_key=first)
        masks = np.packbits(strategy(tokens, VOCAB, seed=7).selection.mask.reshape(-1, 128), axis=1)
        seen.update(map(bytes, masks))
    assert len(seen) == 100_000


def test_positions_of_one_sample_are_uncorrelated() -> None:
    strategy = maskplug.compose(maskplug.part("selector", "independent", rate=0.5))
    mask = strategy(equal_rows(5_000, 40), VOCAB, seed=1).selection.mask.reshape(-1, 40)
    for lag in (1, 2, 3, 4, 8):
        agree = mask[:, lag:] == mask[:, :-lag]
        assert likely(agree.sum(), agree.size, 0.5)
