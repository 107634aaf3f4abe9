"""Common mistakes of authors of parts raise errors that name the part and the remedy."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

import maskplug
from maskplug import spec as specs
from maskplug.errors import MaskplugError, PluginError, StrategyError, TokenError, VocabularyError
from maskplug.registry import Entry, Registry
from support.batches import VOCAB, batch
from support.fake_plugins import Site

TOKENS = batch([[5, 6, 7], [8, 9]])


@dataclass(frozen=True)
class Selecting(maskplug.Selector):
    function: Any

    def select(self, tokens: Any, vocab: Any, rng: Any) -> Any:
        return self.function(tokens)


@dataclass(frozen=True)
class Replacing(maskplug.Replacement):
    function: Any

    def replace(self, tokens: Any, selection: Any, vocab: Any, rng: Any) -> Any:
        return self.function(tokens)


@dataclass(frozen=True)
class Building(maskplug.Target):
    function: Any

    def build(self, tokens: Any, masked: Any, vocab: Any, rng: Any) -> Any:
        selection, inputs = masked.selection, masked.inputs
        return self.function(inputs, selection)


def strategy_of(part: Any) -> maskplug.Strategy:
    if isinstance(part, Selecting):
        return maskplug.compose(part)
    if isinstance(part, Replacing):
        return maskplug.compose("exact", part)
    return maskplug.compose("exact", target=part)


def other_mask(tokens: Any) -> Any:
    return maskplug.Selection.from_mask(np.ones(3, bool), tokens)


def other_batch(tokens: Any) -> Any:
    return maskplug.Selection(np.array([0]), np.array([1]), np.array([0, 1]), 3)


FROM_MASK = "not a Selection; return maskplug.Selection.from_mask(mask, tokens)"
AS_RAGGED = "not a Ragged; return maskplug.Ragged(ids, tokens.offsets)"
RETURNED = {
    "a bool array": (Selecting, lambda t: t.ids > 5, f"a bool array of shape (5,), {FROM_MASK}"),
    "no selection": (Selecting, lambda t: None, f"None, {FROM_MASK}"),
    "a mask of other length": (Selecting, other_mask, "the mask has 3 values for 5 tokens"),
    "bools of another number": (
        Selecting,
        lambda t: maskplug.units(t, VOCAB).take(np.ones(4, bool)),
        "4 bools for 5 spans",
    ),
    "another batch's": (Selecting, other_batch, "does not fit a batch of 2 samples and 5 tokens"),
    "ids": (Replacing, lambda t: t.ids, f"an int64 array of shape (5,), {AS_RAGGED}"),
    "lists": (Replacing, lambda t: [[5, 6, 7], [8, 9]], f"a list, {AS_RAGGED}"),
    "too few rows": (
        Replacing,
        lambda t: maskplug.Ragged.of([[5, 6, 7]]),
        "replace() returned 1 rows for 2 samples",
    ),
    "nothing built": (Building, lambda i, s: None, "None, not a Masked; return maskplug.Masked("),
    "inputs alone": (Building, lambda i, s: i, "a Ragged, not a Masked; return maskplug.Masked("),
    "labels as a list": (
        Building,
        lambda i, s: maskplug.Masked(i, s, labels=[[1]]),
        "labels are a list, not maskplug.Ragged rows",
    ),
    "targets as an array": (
        Building,
        lambda i, s: maskplug.Masked(i, s, targets=i.values),
        "targets are a ndarray, not maskplug.Ragged rows",
    ),
}


@pytest.mark.parametrize(("make", "function", "message"), RETURNED.values(), ids=RETURNED)
def test_wrong_results_name_strategy_and_part(make: Any, function: Any, message: str) -> None:
    with pytest.raises(TokenError, match=re.escape(message)) as caught:
        strategy_of(make(function))(TOKENS, VOCAB)
    assert str(caught.value).startswith(f"strategy 'compose@1', {make.kind} {make.__name__}: ")


def test_a_strategy_that_returns_none_is_named() -> None:
    @dataclass(frozen=True, repr=False)
    class Bad(maskplug.Strategy):
        def mask(self, tokens: Any, vocab: Any, context: Any) -> Any:
            return None

        @property
        def primary_clock(self) -> Any:
            return maskplug.part("clock", "epoch")

        def bounds(self, lengths: Any) -> Any:
            return lengths, lengths

    with pytest.raises(TokenError, match=r"strategy 'x@1': mask\(\) returned None, not a Masked"):
        Bad(label="x@1")(TOKENS, VOCAB)


@pytest.mark.parametrize("error", [SystemExit(0), pytest.fail.Exception("no"), KeyError("nine")])
def test_exceptions_of_parts_become_strategy_errors(error: BaseException) -> None:
    def select(tokens: Any) -> Any:
        raise error

    strategy = maskplug.compose(Selecting(select))
    with pytest.raises(StrategyError, match=f"'compose@1' raised {type(error).__name__}: "):
        strategy(TOKENS, VOCAB)
    with pytest.raises(StrategyError):
        strategy.dry_run(VOCAB)


def misspelt() -> type:
    @dataclass(frozen=True)
    class Bad(maskplug.Selector):
        def selct(self, tokens: Any, vocab: Any, rng: Any) -> Any:
            return None

    return Bad


def undecorated() -> type:
    class Bad(maskplug.Selector):
        rate: float = 0.5

        def select(self, tokens: Any, vocab: Any, rng: Any) -> Any:
            return None

    return Bad


def not_frozen() -> type:
    return dataclass(undecorated())


def undecorated_subclass() -> type:
    class Bad(maskplug.part("selector", "exact").__class__):  # type: ignore[misc]
        power: float = 2.0
        rate: float = 0.3
        table: ClassVar[int] = 3

    return Bad


def no_part() -> type:
    class Bad:
        pass

    return Bad


CLASSES = {
    misspelt: "selector Bad lacks the method 'select'; rename 'selct'?",
    undecorated: "selector Bad is not a dataclass; parts are frozen dataclasses: write @dataclass(",
    not_frozen: "selector Bad is not frozen: its options could change: write @dataclass(",
    undecorated_subclass: "selector Bad annotates 'power', 'rate' but is not a dataclass",
    no_part: "the class Bad is no part; a selector is a subclass of maskplug.Selector",
}


@pytest.mark.parametrize(
    ("make", "message"), CLASSES.items(), ids=lambda v: getattr(v, "__name__", "")
)
def test_invalid_classes_cannot_be_registered(make: Any, message: str) -> None:
    with pytest.raises(PluginError, match=re.escape(message)) as caught:
        Registry().add(Entry("selector", "bad", 1, make(), "some-plugin"))
    assert "some-plugin registers selector 'bad': " in str(caught.value)


@pytest.mark.parametrize("make", [misspelt, undecorated, not_frozen, undecorated_subclass, no_part])
def test_invalid_classes_cannot_be_used(make: Any) -> None:
    with pytest.raises(MaskplugError):
        maskplug.compose(make()())


def test_classes_of_another_kind_cannot_be_registered() -> None:
    exact = type(maskplug.part("selector", "exact"))
    with pytest.raises(PluginError, match="the class Exact is a selector; a strategy is a sub"):
        Registry().add(Entry("strategy", "bad", 1, exact, "some-plugin"))


@dataclass(frozen=True)
class Bare(maskplug.Selector):
    rate = 0.5

    def select(self, tokens: Any, vocab: Any, rng: Any) -> Any:
        return None


@pytest.mark.parametrize("make", [lambda: Bare(rate=0.3), lambda: Bare(0.3)])  # type: ignore
def test_options_without_annotation_are_named(make: Any) -> None:
    with pytest.raises(
        PluginError, match=r"Bare: 'rate' has no type annotation.*'rate: float = 0.5'"
    ):
        make()


def test_options_without_annotation_are_named_in_specs() -> None:
    with pytest.raises(
        maskplug.OptionError, match="no option 'rate': 'rate' has no type annotation"
    ):
        specs.build(Entry("selector", "bare", 1, Bare, "x"), {"rate": 0.3})


def exits() -> Any:
    raise SystemExit


def asks(power: Nowhere = 1) -> Any: ...  # type: ignore[name-defined]  # noqa: F821


FACTORIES: dict[str, tuple[Any, str]] = {
    "none": (lambda: None, "returned None; it must return a maskplug.Strategy (is a return"),
    "a part": (lambda: Bare(), "returned Bare(); it must return a maskplug.Strategy"),
    "a class": (lambda: Bare, "it must return a maskplug.Strategy"),
    "raises": (lambda: 1 / 0, "the factory of strategy 'x:bad@1' raised ZeroDivisionError"),
    "exits": (exits, "the factory of strategy 'x:bad@1' raised SystemExit"),
    "annotation": (asks, "the annotations of strategy 'bad@1' cannot be read: NameError"),
}


@pytest.mark.parametrize(("factory", "message"), FACTORIES.values(), ids=FACTORIES)
def test_invalid_factories_are_named(factory: Any, message: str) -> None:
    with pytest.raises(PluginError, match=re.escape(message)):
        specs.build(Entry("strategy", "bad", 1, factory, "x"), {})


def test_factories_may_be_partials_or_callable_objects() -> None:
    def half(rate: float, unit: str = "token") -> maskplug.Strategy:
        return maskplug.compose(maskplug.part("selector", "exact", rate=rate, unit=unit))

    class Factory:
        def __call__(self, rate: float = 0.5) -> maskplug.Strategy:
            return half(rate)

    for factory in (functools.partial(half, rate=0.5), Factory()):
        strategy = specs.build(Entry("strategy", "half", 1, factory, "x"), {"rate": 1})
        assert strategy.options["rate"] == 1.0


@pytest.mark.parametrize(
    ("tokens", "vocab", "error", "message"),
    [
        ([[5, 6]], VOCAB, TokenError, "tokens is a list, .*TokenBatch.from_lists(rows, keys=…)"),
        (np.array([[5]]), VOCAB, TokenError, "tokens is an int64 array of shape (1, 1), not a "),
        (None, VOCAB, TokenError, "tokens is None, not a TokenBatch"),
        (VOCAB, TOKENS, TokenError, "tokens and vocab are swapped: call strategy(tokens, vocab)"),
        (TOKENS, None, VocabularyError, "vocab is None, not a maskplug.Vocabulary; build one with"),
        (TOKENS, 100, VocabularyError, "vocab is an int, not a maskplug.Vocabulary"),
    ],
)
def test_wrong_tokens_or_vocab_name_the_remedy(
    tokens: Any, vocab: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=re.escape(message).replace(r"\.\*", ".*")):
        maskplug.strategy("dynamic")(tokens, vocab)


PLUGIN = """
@dataclass(frozen=True)
class Bits(maskplug.Selector):
    def select(self, tokens, vocab, rng):
        return tokens.ids > 5

def bits(share, unit: str = "token", parts: "int | None" = None) -> maskplug.Strategy:
    return maskplug.compose(Bits())

@maskplug.hookimpl
def maskplug_register(register):
    register("strategy", "bits", bits)
    register("strategy", "nothing", lambda: None)
"""
COMMANDS = """
from maskplug.cli import main
for arguments in (
    ["show", "bits", "--options", '{"share": 1}'], ["list", "bits"], ["check", "nothing"],
):
    try:
        main(arguments)
    except SystemExit as end:
        print("exit code", end.code, flush=True)
"""


def test_messages_of_the_command_line(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.install("bad", PLUGIN)
    done = site.run(COMMANDS, COLUMNS="200")
    _, listed, refused, _ = re.split(r"exit code (?=\d)", done.stdout)
    assert "strategy 'bad:bits@1', selector Bits: select() returned a bool array" in done.stderr
    assert listed.startswith("2")
    assert "  share (required)\n  unit: str = 'token'\n  parts: int | None = None\n" in listed
    assert refused.startswith("0")
    assert done.stdout.endswith("exit code 2\n")
    assert "the factory of strategy 'bad:nothing@1' returned None" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
