"""Strategy ⇄ spec ⇄ JSON ⇄ fingerprint, and the checking of options."""

from __future__ import annotations

import json
import pickle
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pytest

import maskplug
from maskplug import spec as specs
from maskplug.clock import Cycle, Epoch, Every
from maskplug.errors import MaskplugError, OptionError
from maskplug.registry import Entry
from maskplug.replacements import Mix
from maskplug.schedule import Constant, Cosine, Linear, Steps
from maskplug.selectors import Exact, Independent, Nothing, Spans, Words
from support.batches import STRATEGIES, strategy_of

NESTED: dict[str, maskplug.Strategy] = {
    **{case: strategy_of(case) for case in STRATEGIES},
    "schedule": maskplug.strategy("dynamic", rate=Linear(0.3, 0.15)),
    "schedule by name": maskplug.strategy(
        "whole_word", rate={"name": "cosine", "start": 0.3, "end": 0.15}
    ),
    "steps": maskplug.strategy("span", rate=Steps((0.3, 0.2), (0.5,)), clock="step"),
    "clock": maskplug.strategy("word_dropout", clock={"name": "every", "k": 2, "of": "step"}),
    "compose": maskplug.compose(
        Spans(Cosine(0.3, 0.1), 0.3, 5, "token"), Mix(0.9, 0.1, "span"), clock=Cycle(4)
    ),
    "compose words": maskplug.compose(Words(0.2)),
    "compose by name": maskplug.compose(
        maskplug.part("selector", "independent", rate=0.2, leave_one=True), clock="never"
    ),
    "compose nothing": maskplug.compose(Nothing()),
}
nested = pytest.mark.parametrize("strategy", NESTED.values(), ids=NESTED.keys())


@nested
def test_round_trips(strategy: maskplug.Strategy) -> None:
    through_json = json.loads(specs.to_json(strategy.spec))
    assert through_json == strategy.spec
    again = maskplug.strategy(through_json)
    assert again == strategy or strategy.label == "compose@1"  # whose options were not written out
    assert (again.spec, again.fingerprint) == (strategy.spec, strategy.fingerprint)
    assert (again.selector, again.replacement) == (strategy.selector, strategy.replacement)
    assert (again.target, again.clock) == (strategy.target, strategy.clock)
    assert maskplug.strategy(pickle.loads(pickle.dumps(strategy))).spec == strategy.spec


@nested
def test_repr_contains_all_options(strategy: maskplug.Strategy) -> None:
    text = repr(strategy)
    assert strategy.label in text
    assert strategy.fingerprint in text
    assert all(name in text for name in strategy.spec["options"])


def test_fingerprints_differ() -> None:
    prints = [strategy.fingerprint for strategy in NESTED.values()]
    assert len(set(prints)) == len(prints)
    assert all(len(text) == 16 and int(text, 16) >= 0 for text in prints)


def test_fingerprints_are_pinned() -> None:
    # Manifests and checkpoints hold them: they must not change from release to release.
    assert maskplug.strategy("dynamic").fingerprint == "b3f0231c251f45bf"
    assert maskplug.strategy("span", rate=0.2).fingerprint == "f2b41f689a774f9e"


SAME: list[tuple[Any, Any]] = [
    (maskplug.strategy("dynamic", rate=1), maskplug.strategy("dynamic", rate=1.0)),
    (maskplug.strategy("dynamic", rate=0.15), maskplug.strategy("dynamic")),
    (maskplug.strategy("dynamic@1"), maskplug.strategy("maskplug:dynamic")),
    (maskplug.strategy("dynamic", clock="epoch"), maskplug.strategy("dynamic", clock=Epoch())),
    (maskplug.strategy("dynamic", rate=Constant(0.2)), maskplug.strategy("dynamic", rate=0.2)),
    (maskplug.strategy("dynamic", rate=np.float64(0.2)), maskplug.strategy("dynamic", rate=0.2)),
    (
        maskplug.strategy("dynamic", rate={"start": 1, "name": "linear", "end": 0}),
        maskplug.strategy("dynamic", rate={"name": "linear@1", "end": 0.0, "start": 1.0}),
    ),
    (maskplug.compose(Exact(rate=1)), maskplug.compose(Exact(rate=1.0))),
    (maskplug.compose(Exact(Linear(1, 0))), maskplug.compose(Exact(Linear(1.0, 0.0)))),
    (maskplug.compose(Exact()), maskplug.strategy("compose", selector="exact")),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_equal_options_have_one_fingerprint(one: Any, other: Any) -> None:
    assert one.fingerprint == other.fingerprint


def test_fingerprint_does_not_depend_on_key_order() -> None:
    strategy = NESTED["compose"]
    turned = {key: strategy.spec[key] for key in reversed(strategy.spec)}
    turned["options"] = dict(reversed(list(turned["options"].items())))
    assert list(turned) != list(strategy.spec)
    assert maskplug.strategy(turned).fingerprint == strategy.fingerprint
    assert specs.fingerprint(turned) == strategy.fingerprint


def test_options_override_those_of_a_spec() -> None:
    spec = maskplug.strategy("dynamic", rate=0.2, unit="word").spec
    changed = maskplug.strategy(spec, rate=0.3).spec["options"]
    assert (changed["rate"], changed["unit"]) == (0.3, "word")


BAD: list[tuple[dict[str, Any], str]] = [
    ({"rat": 0.1}, r"strategy 'dynamic@1' has no option 'rat'; did you mean 'rate'\? Choices: cl"),
    ({"zzz": 0.1}, r"no option 'zzz'\. Choices: clock, mask, random, rate, unit"),
    ({"rate": "0.1"}, r"'rate' is '0.1'|unknown schedule '0.1'"),
    ({"rate": True}, r"strategy 'dynamic@1': option 'rate' is True; it must be a schedule"),
    ({"rate": None}, r"option 'rate' is None; it must be a schedule \(constant, .*\) or a number"),
    ({"rate": [0.1]}, r"option 'rate' is \[0.1\]"),
    ({"rate": 1.1}, r"strategy 'dynamic@1': option 'rate' is 1.1; .* from 0 to 1"),
    ({"rate": float("nan")}, r"option 'rate' is nan"),
    ({"rate": Epoch()}, r"option 'rate' is Epoch\(\)"),
    ({"unit": "words"}, r"option 'unit' is 'words'; it must be one of 'token', 'word'"),
    ({"mask": 0.95, "random": 0.2}, r"strategy 'dynamic@1': options 'mask' and 'random'"),
    ({"clock": 3}, r"option 'clock' is 3; it must be a clock \(cycle, epoch, every, never, step\)"),
    ({"clock": Epoch}, r"option 'clock' is <class"),
    ({"clock": Linear(0, 1)}, r"option 'clock' is Linear"),
    ({"clock": {"k": 2}}, r"a clock is given as \{'name': …, options\}, not as \{'k': 2\}"),
    ({"clock": {"name": "every"}}, r"clock 'every@1' needs the option 'k'"),
    ({"clock": {"name": "every", "k": 2, "off": 1}}, r"no option 'off'; did you mean 'of'\?"),
    (
        {"clock": {"name": "every", "k": 2, "of": "day"}},
        r"'day'; it must be one of 'epoch', 'step'",
    ),
    (
        {"rate": {"name": "steps", "values": 3, "at": []}},
        r"option 'values' is 3; it must be a list",
    ),
    ({"rate": {"name": "steps", "values": ["x"], "at": []}}, r"'x'; it must be a number"),
    ({"clock": "epohc"}, "'epohc'; did you mean 'epoch'"),
    ({"clock": "epoch@7"}, "no version 7"),
]


@pytest.mark.parametrize(("options", "message"), BAD, ids=lambda x: str(x)[:40])
def test_wrong_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(MaskplugError, match=message):
        maskplug.strategy("dynamic", **options)


@pytest.mark.parametrize(
    "bad",
    [Exact(unit="words"), Independent(always_one=1), Mix(unit="tokens"), Every(2, of="day")],  # type: ignore[arg-type]
    ids=repr,
)
def test_parts_built_directly_are_checked_on_use(bad: Any) -> None:
    with pytest.raises(OptionError, match=type(bad).__name__):
        maskplug.compose(**{"selector": Exact(), bad.kind: bad})


@pytest.mark.parametrize(
    "spec",
    [{}, {"strategy": "dynamic"}, {"strategy": "dynamic", "options": {}, "x": 1}, {1: 2, "a": 3}],
    ids=str,
)
def test_malformed_specs_are_refused(spec: Any) -> None:
    with pytest.raises(OptionError, match="a spec has the keys 'strategy' and 'options'"):
        maskplug.strategy(spec)
    with pytest.raises(OptionError, match="the options of a spec are a mapping, got None"):
        maskplug.strategy({"strategy": "dynamic", "options": None})


def test_built_strategy_is_returned_and_takes_no_options() -> None:
    strategy = maskplug.strategy("dynamic")
    assert maskplug.strategy(strategy) is strategy
    with pytest.raises(
        OptionError, match=r"cannot pass options \['rate'\] together with the built"
    ):
        maskplug.strategy(strategy, rate=0.1)


@dataclass(frozen=True)
class Pair(maskplug.Selector):
    n: int
    letter: Literal["a", "b"] = "a"
    name: str | None = None
    flags: tuple[bool, ...] = ()

    def select(self, tokens: Any, vocab: Any, rng: Any) -> Any:
        raise NotImplementedError


PAIR = Entry("selector", "pair", 1, Pair, "x")


@pytest.mark.parametrize(
    ("options", "result"),
    [
        ({"n": 1}, (1, "a", None, ())),
        ({"n": np.int64(2), "name": "x", "flags": [True]}, (2, "a", "x", (True,))),
    ],
)
def test_option_types_follow_annotations(options: dict[str, Any], result: Any) -> None:
    assert specs.build(PAIR, options) == Pair(*result)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "selector 'pair@1' needs the option 'n'"),
        ({"n": 1.0}, "'n' is 1.0; it must be a whole number"),
        ({"n": 1, "name": 3}, "'name' is 3; it must be text or null"),
        ({"n": 1, "letter": "c"}, "'letter' is 'c'; it must be one of 'a', 'b'"),
        ({"n": 1, "flags": [1]}, "'flags' is 1; it must be true or false"),
    ],
)
def test_options_of_wrong_type_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        specs.build(PAIR, options)
