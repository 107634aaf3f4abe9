"""A sample's mask does not depend on its company, its padding or the layout of memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from maskplug.testing.outcome import Row, assert_same, by_row
from maskplug.testing.subject import NotApplicable, Subject
from maskplug.testing.workers import mask_in_worker
from maskplug.tokens import TokenBatch
from maskplug.types import BoolArray, IntArray, offsets_of

Array = np.ndarray[Any, Any]

COMPANY = (
    "What is drawn for a sample must come from its own stream (rng gives one count for each "
    "sample), and be numbered within the sample, never by a place in the batch."
)


def _alone(subject: Subject) -> list[Row]:
    return by_row(subject.batch, subject.mask(subject.batch, epoch=1))


def _taken(subject: Subject, rows: IntArray, what: str) -> None:
    """Compare some rows, in some order, with what they are in the whole batch."""
    expected = _alone(subject)
    tokens = subject.batch.take(rows)
    found = by_row(tokens, subject.mask(tokens, epoch=1))
    assert_same(found, [expected[i] for i in rows], what, COMPANY, rows.tolist())


def check_row_order(subject: Subject) -> None:
    """The order of the samples in a batch does not matter."""
    back = np.arange(len(subject.batch))[::-1]
    _taken(subject, back, "in the reverse order, a sample is masked otherwise")


def check_subset(subject: Subject) -> None:
    """Nor does it matter which other samples there are, or that one is there twice."""
    rows = np.array([1, 4, 4, 6, 9, 0, 6, 4])
    _taken(subject, rows, "in another batch, a sample is masked otherwise")


def check_batch_of_one(subject: Subject) -> None:
    """A sample is masked alike when it is alone."""
    for i in range(len(subject.batch)):
        _taken(subject, np.array([i]), "alone in a batch, a sample is masked otherwise")


def check_times_of_samples(subject: Subject) -> None:
    """Samples of several epochs may share a batch."""
    epochs = np.arange(len(subject.batch)) % 3
    found = by_row(
        subject.batch,
        subject.mask(subject.batch, epoch=epochs, step=7 * epochs, progress=epochs / 4),
    )
    for epoch in range(3):
        rows = np.flatnonzero(epochs == epoch)
        masked = subject.mask(subject.batch, epoch=epoch, step=7 * epoch, progress=epoch / 4)
        expected = by_row(subject.batch, masked)
        assert_same(
            [found[i] for i in rows],
            [expected[i] for i in rows],
            f"among samples of other epochs, a sample of epoch {epoch} is masked otherwise",
            "rng.t, rng.step, rng.progress and rng.value(schedule) hold one value for each sample.",
            rows.tolist(),
        )


def _padded(subject: Subject, left: int, right: int) -> TokenBatch:
    """The usual batch with padding around every row; layers are 0 there."""
    tokens = subject.batch
    width = left + right
    inside = np.arange(len(tokens.ids)) + np.repeat(
        width * np.arange(len(tokens)) + left, tokens.lengths
    )
    size = len(tokens.ids) + width * len(tokens)
    ids = np.full(size, subject.vocab.pad_id)
    ids[inside] = tokens.ids
    annotations = {}
    for name, layer in tokens.annotations.items():
        annotations[name] = np.zeros(size, layer.dtype)
        annotations[name][inside] = layer
    return TokenBatch(ids, offsets_of(tokens.lengths + width), tokens.keys, annotations)


def _without_padding(row: Row, pad: int) -> Row:
    """The numbers of a row that stand at (or are) other ids than padding."""
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

    Inputs, labels, weights and targets are compared without their padding; layers are not, since
    numbers of positions may count it.
    """
    pad = subject.vocab.pad_id
    if pad is None:
        raise NotApplicable("the vocabulary has no padding")
    expected = [_without_padding(row, pad) for row in _alone(subject)]
    for left, right in ((0, 5), (4, 0), (2, 9)):
        tokens = _padded(subject, left, right)
        found = by_row(tokens, subject.mask(tokens, epoch=1))
        assert_same(
            [_without_padding(row, pad) for row in found],
            expected,
            f"with {left} padding tokens on the left and {right} on the right, a sample is masked "
            "otherwise (padding not counted)",
            "Choose among units(tokens, vocab) and number draws by unit: special tokens and "
            "padding are no units, and tokens.lengths counts them.",
        )


def _as(layer: Array, dtype: Any) -> Array:
    """Whole numbers and bools in another type, as long as they fit."""
    limits = np.iinfo(dtype)
    fits = not layer.size or (layer.min() >= limits.min and layer.max() <= limits.max)
    return layer.astype(dtype) if fits and layer.dtype.kind != "f" else layer


def check_dtypes(subject: Subject) -> None:
    """The integer type of ids, offsets and layers does not matter."""
    expected, tokens = _alone(subject), subject.batch
    for dtype in (np.int64, np.int32, np.uint16, np.uint64):
        annotations = {name: _as(layer, dtype) for name, layer in tokens.annotations.items()}
        ids, offsets = _as(tokens.ids, dtype), _as(tokens.offsets, dtype)
        other = TokenBatch(ids, offsets, tokens.keys, annotations)
        assert_same(
            by_row(other, subject.mask(other, epoch=1)),
            expected,
            f"as {np.dtype(dtype).name}, the same numbers are masked otherwise",
            "Layers keep the type that the caller gives them: convert one before calculating "
            "(tokens.annotations[name].astype(np.int64)), since unsigned integers wrap around.",
        )


def check_memory_layout(subject: Subject) -> None:
    """Read-only arrays and arrays with gaps are masked like any others."""
    expected, tokens = _alone(subject), subject.batch
    remedy = (
        "Arrays of a batch are read-only views of what the caller has, and stay so: write into "
        "a copy (out = tokens.ids.copy())."
    )
    for name, form in {
        "in read-only arrays": _locked,
        "in arrays with gaps": _gappy,
        "in arrays that run backwards": _backwards,
    }.items():
        annotations = {layer: form(values) for layer, values in tokens.annotations.items()}
        try:
            other = TokenBatch(
                form(tokens.ids), form(tokens.offsets), form(tokens.keys), annotations
            )
            found = by_row(other, subject.mask(other, epoch=1))
        except Exception as error:
            raise AssertionError(
                f"{name}, masking raises {type(error).__name__}: {error}\n{remedy}"
            ) from error
        assert_same(found, expected, f"{name}, the same numbers are masked otherwise", remedy)


def _gappy(array: Array) -> Array:
    return np.repeat(array, 2)[::2]


def _backwards(array: Array) -> Array:
    return array[::-1].copy()[::-1]


def _locked(array: Array) -> Array:
    copy = array.copy()
    copy.flags.writeable = False
    return copy


def check_workers(subject: Subject) -> None:
    """One or two worker processes, each with a part of the batch, mask as none does."""
    expected = _alone(subject)
    chunks = np.array_split(np.arange(len(subject.batch)), 4)
    for workers in (1, 2):
        for number, rows in enumerate(chunks):
            _, found = mask_in_worker(subject, subject.batch.take(rows), number % workers, epoch=1)
            assert_same(
                found,
                [expected[i] for i in rows],
                f"shared out to {workers} worker process(es), a sample is masked otherwise",
                "Masks must not depend on the process, nor on how many batches it has masked.",
                rows.tolist(),
            )
