"""Tests of ``objectives.electra``."""

from __future__ import annotations

from itertools import chain
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
from support.batches import VOCAB, batch, equal_rows, fits, ragged, seeds


@given(ragged(), seeds, st.randoms(use_true_random=False))
def test_labels_are_one_where_ids_differ(rows: list[list[int]], seed: int, other: Any) -> None:
    tokens = batch(rows)
    masked = maskplug.strategy("electra", rate=0.5)(tokens, VOCAB, seed=seed)
    mask = masked.selection.mask
    original = tokens.ids[mask]
    sampled = np.array([other.choice([i, 7, 8]) for i in original.tolist()], np.int64)
    data = discriminate(tokens, masked, sampled)
    inputs, labels = data.inputs.values, data.labels.values
    assert data.inputs.offsets.tolist() == data.labels.offsets.tolist() == tokens.offsets.tolist()
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

    data = discriminate(tokens, masked, perfect)
    assert seen == [(masked.inputs, masked.selection)]
    assert data.inputs.values.tolist() == tokens.ids.tolist()
    assert not data.labels.values.any()


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
    flat = np.array(list(chain(*logits))).reshape(-1, size)
    expected = (
        diffusion_ref.sample_ids(ref.Sample(seed, 5, i), of_row) for i, of_row in enumerate(logits)
    )
    got = sample(flat, masked.selection, rng)
    assert got.dtype == np.int64
    assert got.tolist() == list(chain(*expected))


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
