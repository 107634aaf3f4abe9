"""Tests of mixtures and chains."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given

import maskplug
from maskplug import Masked, Ragged, TokenBatch
from maskplug.context import MaskingContext
from maskplug.errors import OptionError, TokenError
from maskplug.strategies.assemble import assemble
from maskplug.strategies.composition import Chain, Mixture
from maskplug.testing.outcome import by_row
from support.batches import (
    EOS,
    MASK,
    ORDINARY,
    VOCAB,
    batch,
    equal_rows,
    likely,
    ragged,
    seeds,
    uniform,
)

DELETE = {"name": "compose", "selector": "exact", "replacement": "delete", "target": "original"}
SUFFIX = {"name": "compose", "selector": "spans", "replacement": "delete", "target": "chosen"}


def mixture(*strategies: Any, **options: Any) -> Mixture:
    strategy = maskplug.strategy("mixture", strategies=strategies, **options)
    assert isinstance(strategy, Mixture)
    return strategy


def context(tokens: TokenBatch, seed: int) -> MaskingContext:
    return MaskingContext.at(seed, 0, 0, tokens.keys)


def test_mixture_frequencies_follow_the_weights() -> None:
    tokens = equal_rows(20_000, 1)
    strategy = mixture("none", "static", "dynamic", weights=(1, 0, 3))
    choices = strategy.choices(context(tokens, 5))
    counts = np.bincount(choices, minlength=3)
    assert counts[1] == 0
    assert likely(counts[0], 20_000, 0.25)
    assert uniform(mixture("none", "static", "span").choices(context(tokens, 5)).tolist(), 3)


def test_last_weight_may_be_zero() -> None:
    strategy = mixture("none", "dynamic", weights=(1, 0))
    assert set(strategy.choices(context(equal_rows(5_000, 1), 1)).tolist()) == {0}


@given(ragged(), seeds)
def test_mixture_keeps_sources(rows: list[list[int]], seed: int) -> None:
    tokens = batch(rows)
    masked = mixture(DELETE, {**DELETE, "selector": "spans"})(tokens, VOCAB, seed=seed)
    assert (tokens.ids[masked.inputs.sources] == masked.inputs.values).all()
    left = np.ones(len(tokens.ids), bool)
    left[masked.inputs.sources] = False
    assert (left == masked.selection.mask).all()
    assert masked.targets.to_lists() == rows


@pytest.mark.parametrize(
    ("strategies", "one", "other"),
    [
        (["dynamic", "t5"], "'dynamic@1'", "'t5@1'"),
        ([SUFFIX, "none"], "'none@1'", "'compose@1'"),
        ([{"name": "mixture", "strategies": ["span"]}, "mass"], "'mixture@1'", "'mass@1'"),
        ([{"name": "prefixed", "strategy": "t5", "token": 5}, "fim"], "'fim@1'", "'prefixed@1'"),
        (["bart", {"name": "chain", "strategies": ["bart"]}], "'chain@1'", "'bart@1'"),
    ],
)
def test_mixing_labels_and_targets_raises(strategies: list[Any], one: str, other: str) -> None:
    message = f"mixes {one}, which predicts labels in place, and {other}, which generates targets"
    with pytest.raises(OptionError, match=message):
        mixture(*strategies)


@pytest.mark.parametrize(
    ("other", "form"), [("dynamic", "predicts labels in place"), ("t5", "generates targets")]
)
def test_mixing_orders_raises(other: str, form: str) -> None:
    with pytest.raises(OptionError, match=f"'{other}@1', which {form}") as refusal:
        mixture("permutation", other)
    assert "'permutation@1', which predicts labels in a random order" in str(refusal.value)
    assert mixture("permutation", "permutation").predicts == "order"


def test_strategies_with_weight_zero_may_have_another_form() -> None:
    assert mixture("dynamic", SUFFIX, weights=(1, 0)).predicts == "labels"
    assert mixture("dynamic", SUFFIX, weights=(0, 1)).predicts == "targets"


@dataclass(frozen=True)
class Silent(maskplug.Target):
    """A target that does not declare ``predicts``, and returns targets."""

    def build(self, tokens: TokenBatch, masked: Masked, *rest: Any) -> Masked:
        selection, inputs = masked.selection, masked.inputs
        return Masked(inputs, selection, targets=Ragged(tokens.ids, tokens.offsets))


def test_undeclared_forms_raise_at_the_first_batch() -> None:
    silent = maskplug.compose(maskplug.part("selector", "exact"), target=Silent())
    strategy = Mixture(
        (maskplug.strategy("dynamic"), silent), (1.0, 1.0), maskplug.part("clock", "epoch")
    )
    assert strategy.predicts == "labels"
    for samples in (0, 1, 2, 50):
        with pytest.raises(OptionError, match="some strategies of the mixture give labels"):
            strategy(equal_rows(samples, 8), VOCAB)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strategies": []}, "'strategies' is empty"),
        ({"strategies": ["span"], "weights": [1, 2]}, "'weights' has 2 values for 1 strategies"),
        ({"strategies": ["span"], "weights": [0]}, "weights are finite numbers"),
        ({"strategies": ["span", "none"], "weights": [1, -1]}, "weights are finite numbers"),
        ({"strategies": ["span"], "weights": [float("nan")]}, "weights are finite numbers"),
        ({"strategies": ["spam"]}, "did you mean 'span'"),
        ({"strategies": [{"name": "span", "rate": 2}]}, "'rate' is 2"),
        ({"strategies": "span"}, "it must be a list"),
    ],
)
def test_bad_mixtures(options: dict[str, Any], message: str) -> None:
    with pytest.raises(maskplug.MaskplugError, match=message):
        maskplug.strategy("mixture", **options)


def chain(*strategies: Any, **options: Any) -> Chain:
    strategy = maskplug.strategy("chain", strategies=strategies, **options)
    assert isinstance(strategy, Chain)
    return strategy


def test_chain_labels_tokens_of_all_stages() -> None:
    tokens = equal_rows(200, 40)
    first = {"name": "dynamic", "rate": 0.2, "mask": 1.0, "random": 0.0}
    masked = chain(first, first)(tokens, VOCAB, seed=1)
    hidden = masked.inputs.values == MASK
    assert (masked.selection.mask == hidden).all()
    assert (masked.labels.values == np.where(hidden, tokens.ids, -100)).all()
    # Masks of the first stage are special tokens for the second: 8 of 40, then 6.4 of 32.
    counts = masked.selection.counts
    assert set(counts.tolist()) == {14, 15}


def test_stages_have_independent_draws() -> None:
    tokens = equal_rows(4, 40)
    alone = maskplug.strategy("dynamic", rate=0.5)
    scoped = [alone.mask(tokens, VOCAB, context(tokens, 1).scoped(name)) for name in ("0", "1")]
    assert scoped[0].inputs.to_lists() != scoped[1].inputs.to_lists()
    in_chain = chain({"name": "dynamic", "rate": 0.5})(tokens, VOCAB, seed=1)
    assert by_row(tokens, in_chain) == by_row(tokens, scoped[0])


@given(ragged(), seeds)
def test_chain_composes_sources(rows: list[list[int]], seed: int) -> None:
    tokens = batch(rows)
    masked = chain(DELETE, DELETE, target="original")(tokens, VOCAB, seed=seed)
    assert (tokens.ids[masked.inputs.sources] == masked.inputs.values).all()
    assert masked.selection.mask.sum() == len(tokens.ids) - len(masked.inputs.values)
    assert masked.targets.to_lists() == rows


def test_chain_annotations_follow_their_tokens() -> None:
    row = ORDINARY[:12]
    protected = np.array([True] * 6 + [False] * 6)
    tokens = batch([row] * 20, protected=[protected] * 20)
    masked = chain(DELETE, DELETE, target="original")(tokens, VOCAB)
    for kept in masked.inputs.to_lists():
        assert kept[:6] == row[:6]


def test_chain_without_target_uses_the_last_stage() -> None:
    tokens = equal_rows(10, 30)
    masked = chain(DELETE, SUFFIX, target=None)(tokens, VOCAB)
    for out, kept, gone in zip(masked.targets, masked.inputs, masked.selection.counts, strict=True):
        assert out[-1] == EOS
        assert len(out) - 1 + len(kept) < 30
        assert gone > 0


def test_labels_after_a_change_of_length_raise() -> None:
    with pytest.raises(OptionError, match="needs inputs as long as the original"):
        chain(DELETE, "dynamic")(equal_rows(2, 20), VOCAB)


def test_empty_chain_raises() -> None:
    with pytest.raises(OptionError, match="'strategies' is empty"):
        chain()


def test_mixture_errors_name_the_sample_in_the_batch() -> None:
    rows = [[5, 6, 7]] * 20
    for bad in range(20):
        wrong = [*rows[:bad], [5, 60, 7], *rows[bad + 1 :]]
        with pytest.raises(TokenError, match=rf"token id 60 \(sample {bad}, position 1\)"):
            mixture("static", "span")(batch(wrong), VOCAB)


def test_chain_selection_refers_to_the_original() -> None:
    tokens = batch([[2, *range(5, 45), 3], [], [2, *range(5, 25), 3]])
    masked = chain(DELETE, "dynamic", target=None)(tokens, VOCAB, seed=1)
    masked.selection.check(tokens)
    kept = masked.inputs.sources
    gone = np.setdiff1d(np.arange(len(tokens.ids)), kept)
    assert len(gone) > 0
    assert masked.selection.mask[gone].all()
    predicted = kept[masked.labels.values >= 0]
    assert masked.selection.mask[predicted].all()
    assert masked.selection.counts.sum() == len(gone) + len(predicted)


def test_clocks_and_required_annotations_of_all_stages() -> None:
    step = {"name": "span", "clock": "step"}
    rising = {"name": "dynamic", "rate": {"name": "linear", "start": 0.1, "end": 0.3}}
    for strategy in (mixture("static", step), chain("static", step)):
        assert strategy.needs_step
        assert not strategy.needs_progress
    assert mixture(rising, "static").needs_progress
    assert mixture("static", "none", clock="never").is_static
    assert not mixture("static", "none").is_static
    assert chain("static", "static").is_static
    nested = chain(mixture("dynamic", step), "static")
    assert nested.needs_step
    again = maskplug.strategy(nested.spec)
    assert again.fingerprint == nested.fingerprint


def test_each_stage_has_its_own_clock() -> None:
    tokens = equal_rows(6, 40)
    strategy = chain({"name": "static", "rate": 0.2}, {"name": "dynamic", "rate": 0.2})
    first, later = (strategy(tokens, VOCAB, epoch=e).selection.mask for e in (0, 1))
    static = maskplug.strategy("static", rate=0.2)
    kept = static.mask(tokens, VOCAB, context(tokens, 0).scoped("0")).selection.mask
    assert first[kept].all()
    assert later[kept].all()
    assert (first != later).any()


def test_bounds() -> None:
    lengths = np.array([0, 10])
    inputs, outputs = mixture(DELETE, SUFFIX).bounds(lengths)
    assert inputs.tolist() == [0, 10]
    assert outputs.tolist() == [1, 11]
    assert chain(DELETE, target="original").bounds(lengths)[1].tolist() == [0, 10]


def test_inserted_tokens_have_neutral_annotations() -> None:
    tokens = batch([[5, 6]], word_starts=[[False, True]], protected=[[True, True]])
    moved = tokens.rewritten(Ragged(np.array([6, 9]), np.array([0, 2]), np.array([1, -1])))
    assert moved.annotations["word_starts"].tolist() == [True, True]
    assert moved.annotations["protected"].tolist() == [True, False]


def test_divisors_of_weights_without_any_are_their_numbers() -> None:
    tokens = batch([[5, 6], [7, 8, 9]])
    parts = []
    for i, more in enumerate(({"divisors": np.array([7])}, {})):
        row = tokens.take(np.array([i]))
        masked = maskplug.strategy("static")(row, VOCAB)
        weights = np.ones(len(row.ids))
        parts.append((np.array([i]), replace(masked, weights=weights, **more)))
    assert assemble(tokens, parts[::-1]).divisors.tolist() == [7, 3]


def test_missing_annotations_are_filled() -> None:
    tokens = equal_rows(40, 12)
    spans = {"name": "span", "rate": 0.4, "boundaries": True}
    strategy = mixture(spans, {"name": "block_diffusion", "block": 3}, "dynamic")
    choices = strategy.choices(context(tokens, 2))
    masked = strategy(tokens, VOCAB, seed=2)
    distance = masked.annotations["left_distance"].reshape(40, 12)
    block = masked.annotations["block"].reshape(40, 12)
    assert (distance[choices != 0] == 0).all()
    assert (distance[choices == 0].max(axis=1) > 0).any()
    assert (block[choices != 1] == -1).all()
    assert (block[choices == 1] == np.repeat(np.arange(4), 3)).all()
