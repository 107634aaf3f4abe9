"""A strategy as a value: its spec, its text, its copies."""

from __future__ import annotations

import json
import pickle
import re

from maskplug.spec import to_json
from maskplug.strategy import strategy
from maskplug.testing.options import spec_text
from maskplug.testing.outcome import assert_same, by_row
from maskplug.testing.subject import NotApplicable, Subject
from maskplug.testing.workers import fingerprint, mask_in_worker, packed


def check_spec_round_trip(subject: Subject) -> None:
    """The spec goes through JSON, and what is built from it is the same strategy."""
    text = spec_text(subject.strategy)
    assert subject.entry is not None, (
        f"nothing is registered under {subject.strategy.label!r}, so its spec cannot be read "
        "again; register the factory in maskplug_register"
    )
    again = strategy(json.loads(text))
    assert again.fingerprint == subject.strategy.fingerprint, (
        f"built again from its spec {text}, the strategy has another spec: {to_json(again.spec)}"
    )
    assert_same(
        by_row(
            subject.batch, Subject.of(again, subject.vocab, seed=subject.seed).mask(subject.batch)
        ),
        by_row(subject.batch, subject.mask(subject.batch)),
        "built again from its spec, the strategy masks otherwise",
        "An option that is missing in the spec, or changed on its way there, decides masks.",
    )


def check_pickle(subject: Subject) -> None:
    """A pickled copy masks alike; data loaders give copies to their workers."""
    before = by_row(subject.batch, subject.mask(subject.batch))
    copy = pickle.loads(packed(subject.strategy))
    assert_same(
        by_row(
            subject.batch, Subject.of(copy, subject.vocab, seed=subject.seed).mask(subject.batch)
        ),
        before,
        "a pickled copy masks otherwise",
        "What decides masks belongs into the fields of the dataclass; __getstate__ must keep it.",
    )


def check_spawned_process(subject: Subject) -> None:
    """A spawned process draws the same masks and names the same fingerprint."""
    here = fingerprint(subject.strategy)
    there, rows = mask_in_worker(subject, subject.batch, epoch=1)
    assert there == here, (
        f"the fingerprint is {here} here and {there} in a spawned process: something in the spec "
        "depends on the process (a set's order, an address)"
    )
    assert_same(
        rows,
        by_row(subject.batch, subject.mask(subject.batch, epoch=1)),
        "a spawned process draws other masks",
        "Masks must not depend on hash() of text, on the order of sets, on addresses, on the "
        "process id or on globals that were changed after the import.",
    )


def check_repr(subject: Subject) -> None:
    """The text of a strategy names it, on one line and without addresses."""
    if not subject.strategy.label:
        raise NotApplicable("the strategy has no name")
    text = repr(subject.strategy)
    assert subject.strategy.label in text, (
        f"repr is {text!r} and does not name {subject.strategy.label!r}; leave __repr__ to "
        "Strategy (@dataclass(frozen=True, repr=False))"
    )
    assert not re.search(r" at 0x[0-9a-f]+|\n", text), (
        f"repr is {text!r}: an address or a line break in it makes logs of equal runs differ"
    )
