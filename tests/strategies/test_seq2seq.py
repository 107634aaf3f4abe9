"""Tests of ``t5``, ``t5_iid``, ``prefix_lm`` and ``mass``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given

import maskplug
from maskplug.errors import OptionError
from maskplug.ragged import Ragged
from maskplug.schedule import Linear
from support.batches import batch, equal_rows, likely, ragged, seeds
from support.t5_rows import SENTINELS, VOCAB, batch_of

NAMES = ["t5", "t5_iid", "prefix_lm", "mass"]
every = pytest.mark.parametrize("name", NAMES)
TEXT = [2, 10, 11, 12, 13, 14, 15, 16, 17, 3]


@pytest.mark.parametrize(
    ("name", "options", "inputs", "targets"),
    [
        (
            "t5",
            {"rate": 0.5, "mean_length": 2},
            [2, 10, 1199, 13, 14, 1198, 17, 3],
            [1199, 11, 12, 1198, 15, 16, 3],
        ),
        (
            "t5",
            {"rate": 0.5, "mean_length": 2, "final_sentinel": True, "eos": False},
            [2, 10, 1199, 13, 14, 1198, 17, 3],
            [1199, 11, 12, 1198, 15, 16, 1197],
        ),
        ("prefix_lm", {}, [2, 10, 11, 12, 3], [13, 14, 15, 16, 17, 3]),
        ("prefix_lm", {"eos": False}, [2, 10, 11, 12, 3], [13, 14, 15, 16, 17]),
    ],
)
def test_examples(name: str, options: dict[str, Any], inputs: list[int], targets: Any) -> None:
    # Search for a seed that gives the example; the objective determines whether there is one.
    strategy = maskplug.strategy(name, **options)
    seen = []
    for seed in range(400):
        masked = strategy(batch([TEXT]), VOCAB, seed=seed)
        seen.append((masked.inputs.to_lists(), masked.targets.to_lists()))
    assert ([inputs], [targets]) in seen


@every
@given(rows=ragged(), seed=seeds)
def test_every_maskable_row_has_a_target(name: str, rows: list[list[int]], seed: int) -> None:
    masked = maskplug.strategy(name)(batch(rows), VOCAB, seed=seed)
    assert masked.labels is None
    assert ((masked.selection.counts > 0) == (maskplug.units(batch(rows), VOCAB).counts > 0)).all()


@every
@given(rows=ragged(), seed=seeds)
def test_rate_zero_masks_nothing(name: str, rows: list[list[int]], seed: int) -> None:
    masked = maskplug.strategy(name, rate=0.0)(batch(rows), VOCAB, seed=seed)
    assert masked.inputs.to_lists() == rows
    assert not masked.selection.mask.any()


@every
@pytest.mark.parametrize("rate", [0.15, 0.4])
def test_lengths_stay_within_their_bounds(name: str, rate: float) -> None:
    tokens = batch_of(3_000, 60, True)
    for options in ({}, {"rate": rate}, {"rate": Linear(rate, 0.1)}):
        strategy = maskplug.strategy(name, **options)
        masked = strategy(tokens, VOCAB, seed=4)
        inputs, targets = strategy.bounds(tokens.lengths)
        assert (masked.inputs.lengths <= inputs).all()
        assert (masked.targets.lengths <= targets).all()


def test_one_sentinel_per_span_in_order() -> None:
    for name in ("t5", "t5_iid"):
        tokens = batch_of(500, 300, True)
        masked = maskplug.strategy(name, rate=0.3)(tokens, VOCAB, seed=2)
        for i, (inputs, targets) in enumerate(zip(masked.inputs, masked.targets, strict=True)):
            wanted = SENTINELS[: masked.selection.counts[i]]
            assert inputs[np.isin(inputs, SENTINELS)].tolist() == wanted
            assert targets[np.isin(targets, SENTINELS)].tolist() == wanted


def test_lengths_match_the_formula() -> None:
    tokens = equal_rows(200, 512)
    masked = maskplug.strategy("t5")(tokens, VOCAB)
    hidden = masked.selection.mask.reshape(200, 512).sum(axis=1)
    spans = masked.selection.counts
    assert set(hidden.tolist()) == {76, 77}
    assert (spans == np.rint(hidden / 3)).all()
    assert (masked.inputs.lengths == 512 - hidden + spans).all()
    assert (masked.targets.lengths == hidden + spans + 1).all()


def test_mass_encoder_inputs() -> None:
    tokens = equal_rows(500, 100)
    masked = maskplug.strategy("mass")(tokens, VOCAB, seed=1)
    chosen = masked.selection.mask
    assert chosen.sum() == 500 * 50
    assert (masked.inputs.values[~chosen] == tokens.ids[~chosen]).all()
    read = masked.inputs.values[chosen]
    assert likely((read == VOCAB.mask_id).sum(), 25_000, 0.8)
    kept = 0.1 + 0.1 / len(VOCAB.ordinary)
    assert likely((read == tokens.ids[chosen]).sum(), 25_000, kept)
    assert not VOCAB.special[read[read != VOCAB.mask_id]].any()


def test_mass_decoder_inputs_are_shifted() -> None:
    masked = maskplug.strategy("mass")(batch([TEXT] * 30), VOCAB, seed=1)
    annotations = masked.target_annotations
    places = Ragged(annotations["position_ids"], masked.targets.offsets)
    before = Ragged(annotations["decoder_input_ids"], masked.targets.offsets)
    for targets, at, read in zip(masked.targets, places, before, strict=True):
        assert at.tolist() == list(range(at[0], at[0] + 4))
        assert targets.tolist() == TEXT[at[0] : at[0] + 4]
        assert read.tolist() == TEXT[at[0] - 1 : at[0] + 3]


def test_t5_rate_of_one_raises() -> None:
    for rate in (1.0, 1, Linear(0.2, 1.0)):
        with pytest.raises(OptionError, match=r"strategy 't5@1': .*it must be below 1, so that"):
            maskplug.strategy("t5", rate=rate)


def test_dry_run_requires_no_data() -> None:
    for name in [*NAMES, "ul2", "fim"]:
        maskplug.strategy(name).dry_run(VOCAB)
