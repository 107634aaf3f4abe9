"""A pattern as a value: its spec, its expression, its copies, its options."""

from __future__ import annotations

import json
import pickle

from maskplug.attention import Pattern, pattern
from maskplug.errors import MaskplugError, PluginError
from maskplug.registry import Entry
from maskplug.spec import to_json
from maskplug.testing.checks.pattern_purity import assert_same_cells
from maskplug.testing.options import spec_text, unknown_option, wrong_option
from maskplug.testing.pattern_subject import PatternSubject

UNNAMED = "nothing is registered for its class. Register the class in maskplug_register"


def _assert_same(subject: PatternSubject, other: Pattern, what: str) -> None:
    copy = PatternSubject(other, subject.annotations, subject.lengths, subject.seed)
    for batch in subject.batches():
        assert_same_cells(
            batch,
            copy.rows(batch, epoch=1, step=3, progress=0.5),
            subject.rows(batch, epoch=1, step=3, progress=0.5),
            what,
            "What decides the mask belongs into the fields of the frozen dataclass, as it was "
            "given.",
        )


def check_spec_round_trip(subject: PatternSubject) -> None:
    """The spec goes through JSON, and what is built from it is the same pattern."""
    text = spec_text(subject.pattern)
    again = pattern(json.loads(text))
    assert again.fingerprint == subject.pattern.fingerprint, (
        f"built again from its spec {text}, the pattern has another spec: {to_json(again.spec)}. "
        "Leave options as they were given"
    )
    _assert_same(subject, again, "built again from its spec, the pattern shows other cells")


def check_expression_round_trip(subject: PatternSubject) -> None:
    """The text of a pattern is an expression that makes it again."""
    try:
        spec = subject.pattern.spec
    except PluginError as error:
        raise AssertionError(f"no expression can be written: {error}") from error
    text = str(subject.pattern)
    try:
        again = pattern(text)
    except MaskplugError as error:
        raise AssertionError(
            f"its text {text!r} cannot be read: {error}\nLeave __str__ to Pattern"
        ) from error
    assert again.spec == spec, (
        f"its text {text!r} makes another pattern: {to_json(again.spec)}, not {to_json(spec)}. "
        "Leave __str__ to Pattern"
    )


def check_pickle(subject: PatternSubject) -> None:
    """A pickled copy shows the same cells; models and data loaders make copies."""
    try:
        copy = pickle.loads(pickle.dumps(subject.pattern))
    except Exception as error:
        raise AssertionError(
            f"the pattern cannot be pickled ({type(error).__name__}: {error}). Define its class at "
            "the top level of a module, and keep open files, locks and lambdas out of its options"
        ) from error
    _assert_same(subject, copy, "a pickled copy shows other cells")


def _entry(subject: PatternSubject) -> Entry:
    assert subject.entry is not None, f"its options cannot be checked: {UNNAMED}"
    return subject.entry


def check_unknown_option(subject: PatternSubject) -> None:
    """An option that does not exist is rejected by name, with the nearest one that does."""
    entry = _entry(subject)
    unknown_option(entry, lambda more: pattern({**subject.pattern.spec, **more}))


def check_wrong_option(subject: PatternSubject) -> None:
    """A value of the wrong type is rejected by the option's name."""
    entry = _entry(subject)
    wrong_option(entry, lambda changed: pattern({**subject.pattern.spec, **changed}))
