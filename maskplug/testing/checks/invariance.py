"""Masks depend on the arguments only: on no earlier call, process, other sample or padding."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from maskplug.errors import described
from maskplug.testing.outcome import Row, assert_same_rows
from maskplug.testing.subject import NotApplicable, Subject, with_ids
from maskplug.testing.workers import fingerprint, mask_in_worker
from maskplug.tokens import TokenBatch
from maskplug.types import BoolArray, IntArray, offsets_of

Array = np.ndarray[Any, Any]


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


def _assert_same_in(subject: Subject, rows: IntArray, what: str) -> None:
    """Compare some samples, in this order, with the same samples of the whole batch."""
    expected = subject.outcomes(epoch=1)
    assert_same_rows(
        subject.outcomes(subject.batch.take(rows), epoch=1),
        [expected[i] for i in rows],
        what,
        "Draw for each sample from its own stream (pass rng one count per sample), and number "
        "draws within the sample, never by the position in the batch.",
        rows.tolist(),
    )


def check_row_order(subject: Subject) -> None:
    """The order of samples in a batch does not matter."""
    reverse = np.arange(len(subject.batch))[::-1]
    _assert_same_in(subject, reverse, "in reverse order, a sample is masked differently")


def check_subset(subject: Subject) -> None:
    """The other samples of the batch do not matter, even duplicates."""
    rows = np.array([1, 4, 4, 6, 9, 0, 6, 4])
    _assert_same_in(subject, rows, "in another batch, a sample is masked differently")


def check_batch_of_one(subject: Subject) -> None:
    """A sample alone in a batch is masked in the same way."""
    for i in range(len(subject.batch)):
        _assert_same_in(subject, np.array([i]), "alone in a batch, a sample is masked differently")


def check_times_of_samples(subject: Subject) -> None:
    """Samples of several epochs can share a batch."""
    epochs = np.arange(len(subject.batch)) % 3
    mixed = subject.outcomes(epoch=epochs, step=7 * epochs, progress=epochs / 4)
    for epoch in range(3):
        rows = np.flatnonzero(epochs == epoch)
        expected = subject.outcomes(epoch=epoch, step=7 * epoch, progress=epoch / 4)
        assert_same_rows(
            [mixed[i] for i in rows],
            [expected[i] for i in rows],
            f"in a batch with samples of other epochs, a sample of epoch {epoch} is masked "
            "differently",
            "rng.t, rng.step, rng.progress and rng.value(schedule) have one value per sample.",
            rows.tolist(),
        )


def _padded(subject: Subject, left: int, right: int) -> TokenBatch:
    """Return the standard batch with padding around every row; annotations are 0 there."""
    tokens, width = subject.batch, left + right
    shift = np.repeat(width * np.arange(len(tokens)) + left, tokens.lengths)
    inside = np.arange(len(tokens.ids)) + shift
    size = len(tokens.ids) + width * len(tokens)
    ids = np.full(size, subject.vocab.pad_id)
    ids[inside] = tokens.ids
    annotations = {}
    for name, values in tokens.annotations.items():
        annotations[name] = np.zeros(size, values.dtype)
        annotations[name][inside] = values
    return TokenBatch(ids, offsets_of(tokens.lengths + width), tokens.keys, annotations)


def _without_padding(row: Row, pad: int) -> Row:
    kept: Row = {}
    inputs: BoolArray = np.array(row["inputs"], np.int64) != pad
    for name in ("inputs", "labels", "weights"):
        if name in row:
            kept[name] = [v for v, k in zip(row[name], inputs, strict=True) if k]
    if "targets" in row:
        kept["targets"] = [v for v in row["targets"] if v != pad]
    return kept


def check_padding(subject: Subject) -> None:
    """Neither the side nor the amount of padding matters.

    Inputs, labels, weights and targets are compared without their padding; annotations are not,
    since positions may count padding.
    """
    pad = subject.vocab.pad_id
    if pad is None:
        raise NotApplicable("the vocabulary has no padding")
    expected = [_without_padding(row, pad) for row in subject.outcomes(epoch=1)]
    for left, right in ((0, 5), (4, 0), (2, 9)):
        rows = subject.outcomes(_padded(subject, left, right), epoch=1)
        assert_same_rows(
            [_without_padding(row, pad) for row in rows],
            expected,
            f"with {left} padding tokens on the left and {right} on the right, a sample is masked "
            "differently (padding not counted)",
            "Choose among units(tokens, vocab) and number draws by unit: special tokens and "
            "padding are not units, but tokens.lengths counts them.",
        )


def _converted(array: Array, dtype: Any) -> Array:
    """Convert integers and bools to another type if they fit."""
    limits = np.iinfo(dtype)
    fits = not array.size or (array.min() >= limits.min and array.max() <= limits.max)
    return array.astype(dtype) if fits and array.dtype.kind != "f" else array


def check_dtypes(subject: Subject) -> None:
    """The integer type of ids, offsets and annotations does not matter."""
    expected, tokens = subject.outcomes(epoch=1), subject.batch
    for dtype in (np.int64, np.int32, np.uint16, np.uint64):
        annotations = {name: _converted(a, dtype) for name, a in tokens.annotations.items()}
        ids, offsets = _converted(tokens.ids, dtype), _converted(tokens.offsets, dtype)
        assert_same_rows(
            subject.outcomes(TokenBatch(ids, offsets, tokens.keys, annotations), epoch=1),
            expected,
            f"as {np.dtype(dtype).name}, the same numbers are masked differently",
            "Annotations keep the type that the caller passes: convert before calculating "
            "(tokens.annotations[name].astype(np.int64)), since unsigned integers wrap around.",
        )


def check_memory_layout(subject: Subject) -> None:
    """Read-only arrays and arrays that are not contiguous are masked like any others."""
    expected, tokens = subject.outcomes(epoch=1), subject.batch
    remedy = (
        "Arrays of a batch are read-only views of the caller's arrays and must stay so: write to a "
        "copy (out = tokens.ids.copy())."
    )
    conversions: dict[str, Callable[[Array], Array]] = {
        "in read-only arrays": _read_only,
        "in arrays with gaps": lambda array: np.repeat(array, 2)[::2],
        "in reversed arrays": lambda array: array[::-1].copy()[::-1],
    }
    for name, convert in conversions.items():
        annotations = {key: convert(values) for key, values in tokens.annotations.items()}
        ids, offsets, keys = map(convert, (tokens.ids, tokens.offsets, tokens.keys))
        try:
            rows = subject.outcomes(TokenBatch(ids, offsets, keys, annotations), epoch=1)
        except Exception as error:
            raise AssertionError(f"{name}, masking raises {described(error)}\n{remedy}") from error
        assert_same_rows(rows, expected, f"{name}, a sample is masked differently", remedy)


def _read_only(array: Array) -> Array:
    copy = array.copy()
    copy.flags.writeable = False
    return copy


def check_workers(subject: Subject) -> None:
    """One or two worker processes, each with a part of the batch, give the same masks."""
    expected = subject.outcomes(epoch=1)
    chunks = np.array_split(np.arange(len(subject.batch)), 4)
    for workers in (1, 2):
        for number, rows in enumerate(chunks):
            batch = subject.batch.take(rows)
            assert_same_rows(
                mask_in_worker(subject, batch, number % workers, epoch=1)[1],
                [expected[i] for i in rows],
                f"with {workers} worker process(es), a sample is masked differently",
                "Masks must not depend on the process, or on how many batches it has masked.",
                rows.tolist(),
            )
