"""Masks depend on the arguments only: not on earlier calls or on the process."""

from __future__ import annotations

import re

import numpy as np

from maskplug.testing.outcome import assert_same_rows
from maskplug.testing.subject import NotApplicable, Subject, with_ids
from maskplug.testing.workers import fingerprint, mask_in_worker
from maskplug.tokens import TokenBatch


def check_spawned_process(subject: Subject) -> None:
    """A spawned process gives the same masks and the same fingerprint."""
    here = fingerprint(subject.strategy)
    there, rows = mask_in_worker(subject, subject.batch, epoch=1)
    assert there == here, (
        f"the fingerprint is {here} here and {there} in a spawned process: something in the spec "
        "depends on the process (the order of a set, an address)"
    )
    assert_same_rows(
        rows,
        subject.outcomes(epoch=1),
        "a spawned process gives other masks",
        "Masks must not depend on hash() of text, the order of sets, addresses, the process id, or "
        "globals that are changed after import.",
    )


def check_repr(subject: Subject) -> None:
    """The ``repr`` contains the label, on one line and without addresses."""
    if not subject.name:
        raise NotApplicable("the strategy has no name")
    text = repr(subject.strategy)
    assert subject.name in text, (
        f"repr is {text!r} and does not name {subject.name!r}; leave __repr__ to Strategy "
        "(@dataclass(frozen=True, repr=False))"
    )
    assert not re.search(r" at 0x[0-9a-f]+|\n", text), (
        f"repr is {text!r}: an address or a line break in it makes logs of equal runs differ"
    )


def check_no_memory_between_calls(subject: Subject) -> None:
    """Earlier calls with other batches do not matter."""
    first = subject.outcomes()
    others = with_ids(subject.batch, np.roll(subject.batch.ids, 7))
    subject.mask(others, seed=1, epoch=4)
    subject.mask(subject.batch.take(np.arange(4)), seed=2)
    assert_same_rows(
        subject.outcomes(),
        first,
        "after other batches, the same batch gets other masks",
        "Parts are frozen and must not store anything between calls; the key of a cache must "
        "include everything that the cached value depends on.",
    )


def check_input_stays(subject: Subject) -> None:
    """The caller's arrays are not changed."""
    batch = subject.batch
    arrays = {"ids": batch.ids, "offsets": batch.offsets, "keys": batch.keys, **batch.annotations}
    writable = {name: array.copy() for name, array in arrays.items()}
    annotations = {name: writable[name] for name in batch.annotations}
    subject.mask(TokenBatch(writable["ids"], writable["offsets"], writable["keys"], annotations))
    for name, array in arrays.items():
        assert np.array_equal(writable[name], array), (
            f"masking changes the caller's {name}: copy an array before writing to it "
            "(out = tokens.ids.copy())"
        )
