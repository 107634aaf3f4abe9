"""A mask is a function of its site: nothing is remembered, read or moved besides."""

from __future__ import annotations

from typing import Any

import numpy as np

from maskplug.attention import Intervals
from maskplug.testing.generators import restored, seed_all, states
from maskplug.testing.pattern_subject import Batch, PatternSubject

DRAW = "Draw from site.rng(clock) (rng.bits, rng.uniform, rng.integers), and only there."


def assert_same_cells(
    batch: Batch, found: Intervals, expected: Intervals, what: str, remedy: str
) -> None:
    """Compare what the samples of a batch see of their own tokens.

    Args:
        batch: whose intervals both are.
        found, expected: what is compared.
        what: when they differ, the beginning of the message.
        remedy: and its end.

    Raises:
        AssertionError: when they differ; the message shows the first difference.
    """
    assert_same_blocks(batch, batch.cells(found), batch.cells(expected), what, remedy)


def assert_same_blocks(batch: Batch, found: Any, expected: Any, what: str, remedy: str) -> None:
    """As :func:`assert_same_cells`, for the cells of each sample."""
    for sample, one, other in zip(batch.samples, found, expected, strict=True):
        if not np.array_equal(one, other):
            head, query, _ = (int(axis[0]) for axis in np.nonzero(one != other))
            raise AssertionError(
                f"{what}: in {batch.attention_kind!r}, query {query} of sample {sample.number} (head {head},"
                f" {sample.keys} keys) sees\n  {_shown(one[head, query])}\ninstead of\n"
                f"  {_shown(other[head, query])}\n{remedy}"
            )


def _shown(row: Any) -> str:
    return " ".join("1" if seen else "·" for seen in row)


def check_same_site_same_mask(subject: PatternSubject) -> None:
    """Asked twice, a pattern answers the same."""
    for batch in subject.batches():
        first, again = (subject.rows(batch, seed=3, step=2) for _ in range(2))
        what = "the second call with equal arguments shows other cells"
        assert_same_cells(batch, again, first, what, DRAW)


def check_no_memory_between_calls(subject: PatternSubject) -> None:
    """What was asked in between does not matter."""
    for batch in subject.batches():
        first = subject.rows(batch)
        subject.rows(subject.batch(batch.attention_kind, rows=[0]), seed=1, step=4, progress=1.0)
        backwards = list(range(len(batch.samples)))[::-1]
        subject.rows(
            subject.batch(batch.attention_kind, backwards, left=1, right=2), seed=2, step=9
        )
        assert_same_cells(
            batch,
            subject.rows(batch),
            first,
            "after other calls, the same site gets other cells",
            "Patterns are frozen and keep nothing between calls; a cache is keyed by all that it "
            "depends on.",
        )


def check_global_generators_stay(subject: PatternSubject) -> None:
    """No global generator (random, numpy, torch) is advanced or seeded."""
    with restored():
        before = states()
        for batch in subject.batches():
            subject.rows(batch, seed=1)
        for name, state in states().items():
            assert state == before[name], f"the pattern moves the generator of {name}. {DRAW}"


def check_global_generators_are_not_read(subject: PatternSubject) -> None:
    """No global generator decides anything."""
    for batch in subject.batches():
        with restored():
            found = []
            for seed in (1, 2):
                seed_all(seed)
                found.append(subject.rows(batch, seed=1))
        what = "the mask depends on the seed of a global generator"
        assert_same_cells(batch, found[1], found[0], what, DRAW)


def check_layers_stay(subject: PatternSubject) -> None:
    """The caller's layers are as they were."""
    for batch in subject.batches():
        given = {name: _copy(layer) for name, layer in batch.annotations.items()}
        subject.rows(batch, given)
        for name, layer in batch.annotations.items():
            same = all(np.array_equal(a, b) for a, b in zip(given[name], layer, strict=True))
            assert same, (
                f"the pattern changes the caller's layer {name!r}: read it with site.layer, "
                "site.each or site.pairs, or copy it before writing"
            )


def _copy(layer: Any) -> Any:
    return layer.copy() if isinstance(layer, np.ndarray) else [one.copy() for one in layer]
