"""A mask is a function of its arguments: nothing is remembered, read or moved besides."""

from __future__ import annotations

import numpy as np

from maskplug.testing.generators import restored, seed_all, states
from maskplug.testing.outcome import assert_same, by_row
from maskplug.testing.subject import Subject, with_ids
from maskplug.tokens import TokenBatch

DRAW = (
    "Draw from the Rng that the part is given (rng.integers, rng.uniform, budget), and only there."
)


def check_same_key_same_mask(subject: Subject) -> None:
    """Masking twice gives the same."""
    first = by_row(subject.batch, subject.mask(subject.batch, seed=3, epoch=2))
    again = by_row(subject.batch, subject.mask(subject.batch, seed=3, epoch=2))
    assert_same(again, first, "the second call with equal arguments masks otherwise", DRAW)


def check_no_memory_between_calls(subject: Subject) -> None:
    """What was masked in between does not matter."""
    first = by_row(subject.batch, subject.mask(subject.batch))
    others = with_ids(subject.batch, np.roll(subject.batch.ids, 7))
    subject.mask(others, seed=1, epoch=4)
    subject.mask(subject.batch.take(np.arange(4)), seed=2)
    assert_same(
        by_row(subject.batch, subject.mask(subject.batch)),
        first,
        "after other batches, the same batch is masked otherwise",
        "Parts are frozen and keep nothing between calls; a cache is keyed by all that it depends "
        "on.",
    )


def check_global_generators_stay(subject: Subject) -> None:
    """No global generator (random, numpy, torch) is advanced or seeded."""
    with restored():
        before = states()
        subject.mask(subject.batch, seed=1)
        for name, state in states().items():
            assert state == before[name], f"masking moves the global generator of {name}. {DRAW}"


def check_global_generators_are_not_read(subject: Subject) -> None:
    """No global generator decides anything."""
    with restored():
        found = []
        for seed in (1, 2):
            seed_all(seed)
            found.append(by_row(subject.batch, subject.mask(subject.batch, seed=1)))
    assert_same(found[1], found[0], "masks depend on the seed of a global generator", DRAW)


def check_input_stays(subject: Subject) -> None:
    """The caller's arrays are as they were."""
    batch = subject.batch
    arrays = {"ids": batch.ids, "offsets": batch.offsets, "keys": batch.keys, **batch.annotations}
    writable = {name: array.copy() for name, array in arrays.items()}
    annotations = {name: writable[name] for name in batch.annotations}
    tokens = TokenBatch(writable["ids"], writable["offsets"], writable["keys"], annotations)
    subject.mask(tokens)
    for name, array in arrays.items():
        assert np.array_equal(writable[name], array), (
            f"masking changes the caller's {name}: copy an array before writing into it "
            "(out = tokens.ids.copy())"
        )
