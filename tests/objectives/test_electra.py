"""Tests of ``objectives.electra``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import maskplug
from maskplug import Rng, Selection
from maskplug.errors import TokenError
from maskplug.objectives.electra import discriminate, sample
from support import reference as ref
from support import reference_diffusion as diffusion_ref
from support.batches import ORDINARY, VOCAB, batch, equal_rows, fits, likely, ragged, seeds


@given(ragged(), seeds, st.randoms(use_true_random=False))
def test_labels_are_one_where_ids_differ(rows: list[list[int]], seed: int, other: Any) -> None:
    tokens = batch(rows)
    masked = maskplug.strategy("electra", rate=0.5)(tokens, VOCAB, seed=seed)
    mask = masked.selection.mask
    original = tokens.ids[mask]
    sampled = np.array([other.choice([i, 7, 8]) for i in original.tolist()], np.int64)
    made = discriminate(tokens, masked, sampled)
    inputs, labels = made.inputs.values, made.labels.values
    assert made.inputs.offsets.tolist() == made.labels.offsets.tolist() == tokens.offsets.tolist()
    assert inputs.dtype == labels.dtype == np.int64
    assert (inputs[mask] == sampled).all()
    assert (inputs[~mask] == tokens.ids[~mask]).all()
    assert (labels[mask] == (sampled != original)).all()
    # Special tokens and unselected tokens are original.
    assert (labels[~mask] == 0).all()


def test_generator_function_gets_inputs_and_selection() -> None:
    tokens = equal_rows(50, 20)
    masked = maskplug.strategy("electra", rate=0.3)(tokens, VOCAB, seed=3)
    seen = []

    def perfect(inputs: maskplug.Ragged, selection: Selection) -> Any:
        seen.append((inputs, selection))
        return tokens.ids[selection.mask]

    made = discriminate(tokens, masked, perfect)
    assert seen == [(masked.inputs, masked.selection)]
    assert made.inputs.values.tolist() == tokens.ids.tolist()
    assert not made.labels.values.any()


@pytest.mark.parametrize("accuracy", [0.0, 0.35, 1.0])
def test_mean_label_is_rate_times_error(accuracy: float) -> None:
    samples, length, rate = 2_000, 40, 0.15
    tokens = equal_rows(samples, length)
    masked = maskplug.strategy("electra", rate=rate)(tokens, VOCAB, seed=3)
    original = tokens.ids[masked.selection.mask]
    right = np.random.default_rng(1).random(len(original)) < accuracy
    made = discriminate(tokens, masked, np.where(right, original, original % 50 + 5))
    assert len(original) == samples * round(rate * length)
    assert likely(made.labels.values.sum(), len(original), 1 - accuracy)


@pytest.mark.parametrize("sampled", [[5], [5.0, 6.0], [[5, 6]], [5, 6, 7]])
def test_wrong_ids_raise(sampled: list[Any]) -> None:
    tokens = batch([[5, 6, 7, 8]])
    masked = maskplug.strategy("electra", rate=0.5)(tokens, VOCAB)
    with pytest.raises(TokenError, match="one integer is needed for each of the 2 selected"):
        discriminate(tokens, masked, sampled)


def test_strategy_that_moves_tokens_raises() -> None:
    tokens = batch([[5, 6, 7, 8]])
    masked = maskplug.compose("exact", "delete", "original")(tokens, VOCAB)
    with pytest.raises(TokenError, match="changed the length or the order"):
        discriminate(tokens, masked, [5])


@given(ragged(), seeds, st.integers(1, 9), st.randoms(use_true_random=False))
def test_samples_match_reference(rows: list[list[int]], seed: int, size: int, values: Any) -> None:
    tokens = batch(rows)
    rng = Rng.at(seed, 5, tokens.keys)
    masked = maskplug.strategy("electra", rate=0.5)(tokens, VOCAB, seed=seed, epoch=5)
    counts = [int(row.sum()) for row in np.split(masked.selection.mask, tokens.offsets[1:-1])]
    logits = [[[values.gauss(0, 3) for _ in range(size)] for _ in range(n)] for n in counts]
    flat = np.array([row for own in logits for row in own]).reshape(-1, size)
    expected = [
        diffusion_ref.sample_ids(ref.Sample(seed, 5, i), own) for i, own in enumerate(logits)
    ]
    got = sample(flat, masked.selection, rng)
    assert got.dtype == np.int64
    assert got.tolist() == [value for own in expected for value in own]


def test_samples_follow_the_softmax() -> None:
    tokens = equal_rows(8_000, 5)
    selection = Selection.from_mask(np.ones(len(tokens.ids), bool), tokens)
    shares = np.array([0.5, 0.25, 0.125, 0.1, 0.025, 0.0])
    with np.errstate(divide="ignore"):
        logits = np.tile(np.log(shares) + 7, (len(tokens.ids), 1))
    got = sample(logits, selection, Rng.at(3, 0, tokens.keys))
    counts = np.bincount(got, minlength=6)
    assert counts[5] == 0
    assert fits(counts[:5], shares[:5])


def test_samples_do_not_depend_on_the_batch() -> None:
    tokens = batch([ORDINARY[:12], ORDINARY[3:30], [5], []], keys=["a", "b", "c", "d"])
    masked = maskplug.strategy("electra", rate=0.4)(tokens, VOCAB, seed=3)
    logits = np.random.default_rng(1).normal(size=(int(masked.selection.mask.sum()), 60))
    together = sample(logits, masked.selection, Rng.at(3, 0, tokens.keys))
    rows = np.split(masked.selection.mask, tokens.offsets[1:-1])
    bounds = np.cumsum([0, *(int(row.sum()) for row in rows)])
    assert bounds[1] > 1
    for i in range(len(tokens)):
        alone = maskplug.strategy("electra", rate=0.4)(tokens.row(i), VOCAB, seed=3)
        own = logits[bounds[i] : bounds[i + 1]]
        got = sample(own, alone.selection, Rng.at(3, 0, tokens.keys[i : i + 1]))
        assert got.tolist() == together[bounds[i] : bounds[i + 1]].tolist()


@pytest.mark.parametrize("shape", [(3, 4), (2,), (2, 0)])
def test_wrong_logits_raise(shape: tuple[int, ...]) -> None:
    tokens = batch([[5, 6, 7, 8]])
    masked = maskplug.strategy("electra", rate=0.5)(tokens, VOCAB)
    with pytest.raises(TokenError, match="one row is needed for each of the 2 selected tokens"):
        sample(np.zeros(shape), masked.selection, Rng.at(0, 0, [0]))


@pytest.mark.parametrize("bad", [np.nan, -np.inf, np.inf])
def test_logits_without_finite_maximum_raise(bad: float) -> None:
    tokens = batch([[5, 6, 7, 8]])
    masked = maskplug.strategy("electra", rate=0.5)(tokens, VOCAB)
    logits = np.array([[0.0, 0.0], [bad, bad]])
    with pytest.raises(TokenError, match="sample 0 has a row of logits without a finite maximum"):
        sample(logits, masked.selection, Rng.at(0, 0, [0]))
