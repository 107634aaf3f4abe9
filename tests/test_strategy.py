"""Calling a strategy: what it accepts, refuses and explains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import maskplug
from maskplug.errors import (
    MaskplugError,
    OptionError,
    PluginError,
    StrategyError,
    TokenError,
    VocabularyError,
)
from maskplug.schedule import Linear
from maskplug.selectors import Exact
from maskplug.strategies.composed import Composed
from support.batches import VOCAB, batch, equal_rows

DYNAMIC = maskplug.strategy("dynamic")
TOKENS = equal_rows(2, 8)


@pytest.mark.parametrize(
    ("context", "message"),
    [
        ({"seed": -1}, "seed is -1"),
        ({"seed": 2**64}, "seed is"),
        ({"epoch": -1}, "epoch is -1"),
        ({"epoch": 1.5}, "epoch is 1.5; it must be a whole number"),
        ({"step": "3"}, "step is '3'"),
        ({"epoch": [0, 1, 2]}, r"epoch has shape \(3,\) for 2 samples"),
        ({"epoch": [[0, 1]]}, r"epoch has shape \(1, 2\)"),
        ({"progress": float("nan")}, "progress is NaN"),
    ],
)
def test_invalid_times_are_refused(context: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        DYNAMIC(TOKENS, VOCAB, **context)


def test_unsuitable_tokens_and_vocabularies_are_refused() -> None:
    with pytest.raises(TokenError, match="outside the vocabulary"):
        DYNAMIC(batch([[60]]), VOCAB)
    with pytest.raises(VocabularyError, match="inserts a mask token"):
        DYNAMIC(TOKENS, maskplug.Vocabulary(size=60))


@dataclass(frozen=True)
class Reading(maskplug.Selector):
    required_annotations = ("mood",)

    def select(self, tokens: Any, vocab: Any, rng: Any) -> maskplug.Selection:
        return maskplug.Selection.from_mask(tokens.annotations["mood"] > 0, tokens)


def test_missing_annotation_is_refused() -> None:
    strategy = maskplug.strategy("chain", strategies=[named(Reading()), "dynamic"])
    assert strategy.required_annotations == ("mood",)
    strategy.dry_run(VOCAB)
    with pytest.raises(
        TokenError, match=r"requires the annotation 'mood', .* has only: 'protected'"
    ):
        strategy(batch([[5, 6]], protected=[[False, True]]), VOCAB)
    assert strategy(batch([[5, 6]], mood=[[0, 1]]), VOCAB).selection.mask[1]


@dataclass(frozen=True)
class Failing(maskplug.Selector):
    error: type[Exception] = ValueError

    def select(self, tokens: Any, vocab: Any, rng: Any) -> maskplug.Selection:
        raise self.error("inside")


def test_maskplug_errors_are_not_wrapped() -> None:
    class PartError(MaskplugError):
        pass

    with pytest.raises(PartError, match=r"^inside$"):
        named(Failing(PartError))(TOKENS, VOCAB)


def named(selector: maskplug.Selector) -> maskplug.Strategy:
    parts = DYNAMIC.replacement, DYNAMIC.target, DYNAMIC.clock
    return Composed(selector, *parts, label="here:mine@1", options={})


def test_other_errors_are_explained() -> None:
    with pytest.raises(StrategyError, match="'here:mine@1' raised ValueError: inside") as caught:
        named(Failing())(TOKENS, VOCAB, epoch=np.array([4, 5]))
    assert isinstance(caught.value.__cause__, ValueError)
    assert "sample key 0, t = 4" in str(caught.value)


def test_errors_on_an_empty_batch_are_explained() -> None:
    with pytest.raises(StrategyError, match="the batch has no samples"):
        named(Failing())(batch([]), VOCAB)


@dataclass(frozen=True)
class OnlyTogether(maskplug.Selector):
    def select(self, tokens: Any, vocab: Any, rng: Any) -> maskplug.Selection:
        if len(tokens) > 1:
            raise ValueError("together")
        return maskplug.units(tokens, vocab)


def test_errors_that_no_single_sample_raises_are_explained() -> None:
    with pytest.raises(StrategyError, match="ValueError: together"):
        named(OnlyTogether())(TOKENS, VOCAB)


@dataclass(frozen=True)
class Around(maskplug.Selector):
    inner: maskplug.Selector

    def select(self, tokens: Any, vocab: Any, rng: Any) -> maskplug.Selection:
        return self.inner.select(tokens, vocab, rng)


def test_schedules_in_nested_parts_are_found() -> None:
    assert named(Around(Exact(Linear(0.3, 0.1)))).needs_progress
    assert not named(Around(Exact(0.3))).needs_progress
    assert not DYNAMIC.needs_progress


def test_error_of_a_clock_is_explained() -> None:
    @dataclass(frozen=True)
    class Stuck(maskplug.Clock):
        def __call__(self, epoch, step):  # type: ignore[no-untyped-def]
            raise ValueError("stuck")

    strategy = Composed(DYNAMIC.selector, DYNAMIC.replacement, DYNAMIC.target, Stuck())
    with pytest.raises(StrategyError, match=r"clock .*Stuck.* raised ValueError: stuck"):
        strategy(TOKENS, VOCAB)


def test_strategies_of_unregistered_parts_have_no_spec() -> None:
    strategy = Composed(Failing(), DYNAMIC.replacement, DYNAMIC.target, DYNAMIC.clock)
    assert "Failing" in repr(strategy)
    with pytest.raises(PluginError, match="Failing is not registered as a selector"):
        _ = strategy.spec
    with pytest.raises(
        StrategyError, match="it cannot be reproduced by a command: Failing is not registered"
    ):
        strategy(TOKENS, VOCAB)


def test_clocks_include_all_stages() -> None:
    chain = maskplug.strategy("chain", strategies=["static", {"name": "dynamic", "clock": "step"}])
    assert [type(clock).__name__ for clock in chain.clocks] == ["Never", "Step"]
    assert chain.needs_step
    assert not chain.is_static
