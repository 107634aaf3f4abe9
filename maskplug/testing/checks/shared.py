"""Checks of strategies and patterns alike: specs, copies, options, and no hidden state."""

from __future__ import annotations

import inspect
import json
import pickle
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from maskplug.errors import MaskplugError, OptionError, PluginError, described
from maskplug.registry import Entry
from maskplug.spec import to_json
from maskplug.testing.pattern_subject import PatternSubject
from maskplug.testing.subject import NotApplicable, Subject
from maskplug.testing.workers import pickled

AnySubject = Subject | PatternSubject
#: Any time but the first one.
LATER: dict[str, Any] = {"epoch": 1, "step": 3, "progress": 0.5}


def spec_of(subject: AnySubject) -> str:
    """Return the spec as JSON; assert that there is one."""
    try:
        spec = subject.part.spec
    except PluginError as error:
        raise AssertionError(f"no spec can be made: {error}") from error
    try:
        return to_json(spec)
    except (TypeError, ValueError) as error:
        raise AssertionError(
            f"the spec is not plain JSON ({error}): {spec!r}. Options may be numbers, text, lists, "
            "parts and files; annotate them, so that they are validated and written as such"
        ) from error


def error_of(what: str, expected: type[MaskplugError], call: Callable[[], Any]) -> str:
    """Return the message of the error that a call raises; assert that it is of this class."""
    try:
        call()
    except expected as error:
        return str(error)
    except Exception as error:
        raise AssertionError(
            f"{what} raises {described(error)}\nIt should raise {expected.__name__} with a message "
            "that states the remedy."
        ) from error
    raise AssertionError(f"{what} is accepted; it should raise {expected.__name__}")


def check_spec_round_trip(subject: AnySubject) -> None:
    """The spec can be written as JSON and read again, and the rebuilt part gives equal results."""
    text = spec_of(subject)
    assert subject.entry is not None, (
        f"nothing is registered under {subject.name!r}, so its spec cannot be read again; register "
        "it in maskplug_register"
    )
    copy = subject.replaced(json.loads(text))
    assert copy.part.fingerprint == subject.part.fingerprint, (
        f"built again from its spec {text}, the {subject.kind} has another spec: "
        f"{to_json(copy.part.spec)}. Keep options as they were passed"
    )
    subject.assert_same(
        copy.outcomes(**LATER),
        subject.outcomes(**LATER),
        f"built again from its spec, the {subject.kind} gives another result",
        "An option that affects masks is missing from the spec, or changed on the way.",
    )


def check_pickle(subject: AnySubject) -> None:
    """A pickled copy gives equal results; data loaders send copies to their workers."""
    before = subject.outcomes(**LATER)
    copy = pickle.loads(pickled(subject.kind, subject.part))
    subject.assert_same(
        subject.replaced(copy).outcomes(**LATER),
        before,
        "a pickled copy gives another result",
        "Everything that affects masks must be a field of the frozen dataclass, and __getstate__ "
        "must keep it.",
    )


def check_same_call_same_mask(subject: AnySubject) -> None:
    """Calling twice with equal arguments gives equal results."""
    first, again = (subject.outcomes(seed=3, epoch=2, step=2) for _ in range(2))
    what = "the second call with equal arguments gives another result"
    subject.assert_same(again, first, what, subject.how_to_draw)


def check_global_generators_stay(subject: AnySubject) -> None:
    """No global generator (random, numpy, torch) is advanced or seeded."""
    with _restored_generators():
        before = _generator_states()
        subject.outcomes(seed=1)
        for name, state in _generator_states().items():
            assert state == before[name], (
                f"the {subject.kind} changes the state of the global generator of {name}. "
                f"{subject.how_to_draw}"
            )


def check_global_generators_are_not_read(subject: AnySubject) -> None:
    """No global generator affects the result."""
    results = []
    with _restored_generators():
        for seed in (1, 2):
            random.seed(seed)
            np.random.seed(seed)  # noqa: NPY002
            if "torch" in sys.modules:
                sys.modules["torch"].manual_seed(seed)
            results.append(subject.outcomes(seed=1))
    what = "the result depends on the seed of a global generator"
    subject.assert_same(results[1], results[0], what, subject.how_to_draw)


def _generator_states() -> dict[str, Any]:
    """Return the state of every global generator; torch's only if torch is imported."""
    legacy: Any = np.random.get_state(legacy=True)  # noqa: NPY002
    states = {"random": random.getstate(), "numpy.random": (legacy[1].tolist(), *legacy[2:])}
    if "torch" in sys.modules:
        states["torch"] = sys.modules["torch"].get_rng_state().tolist()
    return states


@contextmanager
def _restored_generators() -> Iterator[None]:
    """Restore the states of the global generators at the end of the block."""
    python, legacy = random.getstate(), np.random.get_state()  # noqa: NPY002
    torch = sys.modules.get("torch")
    state = torch.get_rng_state() if torch else None
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(legacy)  # noqa: NPY002
        if torch:
            torch.set_rng_state(state)


def _registered(subject: AnySubject) -> tuple[Entry, list[str]]:
    """Return the registry entry and the names of the options."""
    if not subject.name:
        raise NotApplicable("the strategy has no name, so options cannot be passed by name")
    assert subject.entry is not None, (
        f"nothing is registered under {subject.name!r}, so its options cannot be checked. Register "
        "it in maskplug_register"
    )
    return subject.entry, list(inspect.signature(subject.entry.factory).parameters)


def check_unknown_option(subject: AnySubject) -> None:
    """An option that does not exist raises an error with its name and the nearest option."""
    _, names = _registered(subject)
    wrong = next((name + "s" for name in names if name + "s" not in names), "no_such_option")
    what = f"the option {wrong!r}"
    message = error_of(what, OptionError, lambda: subject.build(**{wrong: 1}))
    assert repr(wrong) in message, f"the message does not name the option {wrong!r}: {message}"
    if wrong[:-1] in names:
        assert "did you mean" in message, f"the message suggests no other option: {message}"


def check_wrong_option(subject: AnySubject) -> None:
    """A value of the wrong type raises an error with the option's name."""
    entry, names = _registered(subject)
    if not names:
        raise NotApplicable(f"the {entry.kind} has no options")
    for name in names:
        message = error_of(
            f"the option {name!r} of type bytes (annotate it, and it is checked before the factory "
            "is called)",
            OptionError,
            lambda name=name: subject.build(**{name: b"?"}),  # type: ignore[misc]
        )
        assert repr(name) in message, f"the message does not name the option {name!r}: {message}"
