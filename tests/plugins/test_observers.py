"""Observers: called by pluggy, shown what they cannot change, and left out when they raise."""

from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import maskplug
from maskplug.errors import PluginError
from maskplug.plugins import plugins
from maskplug.testing.outcome import by_row
from support.batches import VOCAB, equal_rows
from support.fake_plugins import Site

MASK = (
    "from support.batches import VOCAB, equal_rows\n"
    "maskplug.strategy('dynamic')(equal_rows(2, 9), VOCAB)\n"
)


OBSERVER = """
@maskplug.hookimpl
def maskplug_after_mask(masked, event):
    print(event.strategy.label, event.rng.t.tolist(), masked.selection.counts.tolist())
"""


def test_observer_receives_every_batch_and_a_failing_one_is_reported_once(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.install("bad", OBSERVER.replace("print(", "1 / 0, ("))
    site.install("good", OBSERVER)
    # An observer of a plugin that cannot be loaded is not called.
    wrong = "@maskplug.hookimpl\ndef maskplug_register(registry): pass"
    site.install("unloaded", OBSERVER + wrong)
    done = site.run(MASK + MASK + MASK)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 3, done.stderr
    assert lines[0].startswith("dynamic@1 [0, 0] [")
    assert done.stderr.count("raised in maskplug_after_mask and is no longer called") == 1
    assert "plugin bad 1.2 (entry point 'bad') raised" in done.stderr


def mask() -> maskplug.Masked:
    return maskplug.strategy("dynamic")(equal_rows(2, 9), VOCAB)


@contextmanager
def observing(*functions: Callable[..., Any]) -> Iterator[list[str]]:
    """Observe with these functions, the first registered first; gives the warnings."""
    registered = []
    for number, function in enumerate(functions):
        kind = type(f"Observer{number}", (), {})
        observer = kind()
        observer.maskplug_after_mask = function
        registered.append(observer)
        plugins().manager.register(observer)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            messages: list[str] = []
            yield messages
            messages += [str(one.message) for one in caught]
    finally:
        for observer in registered:
            plugins().manager.unregister(observer)


def test_wrappers_and_call_order_follow_pluggy() -> None:
    calls: list[str] = []

    @maskplug.hookimpl(trylast=True)
    def last(masked: Any) -> None:
        calls.append("last")

    @maskplug.hookimpl
    def usual(event: Any) -> str:
        calls.append("usual")
        return "told"

    @maskplug.hookimpl(tryfirst=True)
    def first() -> None:
        calls.append("first")

    @maskplug.hookimpl(wrapper=True)
    def around(masked: Any, event: Any) -> Any:
        calls.append("before")
        results = yield
        calls.append(f"after {results}")
        return results

    @maskplug.hookimpl(hookwrapper=True)
    def old_around(masked: Any) -> Any:
        calls.append("old before")
        outcome = yield
        calls.append(f"old after {outcome.get_result()}")

    with observing(first, last, around, usual, old_around) as messages:
        mask()
    assert messages == []
    assert calls == [
        *("old before", "before", "first", "usual", "last"),
        *("after ['told']", "old after ['told']"),
    ]


def plain(error: BaseException) -> Callable[..., Any]:
    @maskplug.hookimpl
    def observer(masked: Any) -> None:
        raise error

    return observer


def wrapping(error: BaseException, first: bool, **options: bool) -> Callable[..., Any]:
    """Return a hook wrapper that raises in its first or in its second half."""

    @maskplug.hookimpl(**options)
    def observer(masked: Any) -> Any:
        if first:
            raise error
        yield
        raise error

    return observer


WAYS = {
    "plain": plain,
    "before": partial(wrapping, first=True, wrapper=True),
    "after": partial(wrapping, first=False, wrapper=True),
    "old after": partial(wrapping, first=False, hookwrapper=True),
}
ERRORS = [ValueError("bad"), SystemExit(), SystemExit(3), pytest.skip.Exception("no"), OSError()]


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("error", ERRORS, ids=repr)
def test_any_exception_of_an_observer_is_reported_once(way: Any, error: BaseException) -> None:
    seen: list[int] = []

    @maskplug.hookimpl
    def good(masked: Any) -> None:
        seen.append(len(masked.inputs))

    with observing(good, way(error), good) as messages:
        for _ in range(3):
            mask()
    assert seen == [2] * 6
    assert len(messages) == 1
    assert messages[0].startswith("plugin Observer1 at 0x")
    assert f"no longer called: {type(error).__name__}" in messages[0]


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_keyboard_interrupt_is_not_caught(way: Any) -> None:
    with observing(way(KeyboardInterrupt())), pytest.raises(KeyboardInterrupt):
        mask()


@pytest.mark.parametrize("way", [WAYS[name] for name in ("plain", "before", "after")])
def test_strict_plugins_raise(way: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASKPLUG_STRICT_PLUGINS", "1")
    with observing(way(SystemExit(0))), pytest.raises(PluginError, match="SystemExit: 0") as told:
        mask()
    assert isinstance(told.value.__cause__, SystemExit)


@pytest.mark.parametrize("yields", [0, 2])
def test_wrapper_that_does_not_yield_once_is_reported(yields: int) -> None:
    @maskplug.hookimpl(wrapper=True)
    def wrong(masked: Any) -> Any:
        for _ in range(yields):
            yield

    with observing(wrong) as messages:
        mask()
        mask()
    assert len(messages) == 1
    assert "a hook wrapper must yield exactly once" in messages[0]


def everything(masked: Any, event: Any) -> list[np.ndarray[Any, Any]]:
    """All arrays that an observer is shown, and what they are views of."""
    rows = [masked.inputs, masked.labels, masked.selection, event.tokens]
    arrays = [v for row in rows for v in vars(row).values() if isinstance(v, np.ndarray)]
    return [*arrays, *(a.base for a in arrays if isinstance(a.base, np.ndarray))]


def test_observed_arrays_do_not_share_memory_with_results() -> None:
    tokens = equal_rows(3, 9)
    expected = maskplug.strategy("dynamic")(tokens, VOCAB)
    ids = tokens.ids.copy()

    @maskplug.hookimpl
    def vandal(masked: Any, event: Any) -> None:
        for array in everything(masked, event):
            with pytest.raises(ValueError, match="read-only"):
                array[...] = 0
            with pytest.raises(ValueError, match="WRITEABLE"):
                array.setflags(write=True)
        with pytest.raises(TypeError):
            masked.annotations["x"] = masked.inputs.values
        object.__setattr__(masked, "labels", None)
        object.__setattr__(event.tokens, "ids", None)

    with observing(vandal) as messages:
        masked = maskplug.strategy("dynamic")(tokens, VOCAB)
    assert messages == []
    assert masked.inputs.to_lists() == expected.inputs.to_lists()
    assert masked.labels is not None
    assert expected.labels is not None
    assert masked.labels.to_lists() == expected.labels.to_lists()
    assert (tokens.ids == ids).all()


@pytest.mark.parametrize("name", ["dynamic", "t5", "permutation", "mdlm", "none"])
def test_observed_values_equal_the_results(name: str) -> None:
    from support.cases import RICH

    shown: list[Any] = []

    @maskplug.hookimpl
    def observer(masked: Any, event: Any) -> None:
        shown.extend((masked, event.tokens))

    tokens = maskplug.TokenBatch.from_lists([[6, 7, 8, 10], [], [12]], keys=[1, 2, 3])
    with observing(observer):
        masked = maskplug.strategy(name)(tokens, RICH)
    assert by_row(shown[1], shown[0]) == by_row(tokens, masked)
    assert shown[1].keys.tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    "duplicate", [copy.copy, copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))]
)
def test_annotations_are_read_only_also_in_copies(duplicate: Any) -> None:
    tokens = maskplug.TokenBatch.from_lists([[5, 6]], keys=[1], protected=[[True, False]])
    masked = maskplug.strategy("permutation")(tokens, VOCAB)
    for value, name in ((tokens, "protected"), (masked, "order")):
        again = duplicate(value)
        assert {**again.annotations}.keys() == value.annotations.keys()
        assert (again.annotations[name] == value.annotations[name]).all()
        for one in (value, again):
            with pytest.raises(TypeError):
                one.annotations["x"] = one.annotations[name]
            with pytest.raises(ValueError, match="read-only"):
                one.annotations[name][0] = 1
