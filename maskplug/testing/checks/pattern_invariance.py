"""An attention mask depends on the sample's own key, length and annotations, and on clocks."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np

from maskplug.attention import Intervals
from maskplug.errors import OptionError, TokenError, described
from maskplug.parts import Schedule
from maskplug.testing.pattern_subject import LAYERS, Batch, PatternSubject
from maskplug.testing.subject import NotApplicable

IN_TOKENS = (
    "Count in the sample's own tokens: use call.q, call.lengths, and call.intervals for the result."
)
READ = "Read annotations with call.per_token, call.per_sample and call.pairs"
#: (epoch, step, progress)
MOMENTS = ((0, 0, 0.0), (0, 1, 0.0), (1, 1, 0.0), (0, 40, 0.5), (1, 40, 0.5), (5, 1_000, 1.0))


def check_no_memory_between_calls(subject: PatternSubject) -> None:
    """Earlier calls do not matter."""
    for batch in subject.batches():
        first = subject.rows(batch)
        kind = batch.attention_kind
        subject.rows(subject.batch(kind, rows=[0]), seed=1, step=4, progress=1.0)
        reverse = list(range(len(batch.samples)))[::-1]
        subject.rows(subject.batch(kind, reverse, left=1, right=2), seed=2, step=9)
        batch.assert_same(
            subject.rows(batch),
            first,
            "after other calls, the same call gives another mask",
            "Patterns are frozen and must not store anything between calls; the key of a cache "
            "must include everything that the cached value depends on.",
        )


def check_annotations_stay(subject: PatternSubject) -> None:
    """The caller's annotations are not changed."""
    for batch in subject.batches():
        copies = {
            name: values.copy() if isinstance(values, np.ndarray) else [v.copy() for v in values]
            for name, values in batch.annotations.items()
        }
        subject.rows(batch, copies)
        for name, values in batch.annotations.items():
            same = all(np.array_equal(a, b) for a, b in zip(copies[name], values, strict=True))
            assert same, (
                f"the pattern changes the caller's annotation {name!r}. {READ}, or copy it before "
                "writing"
            )


def check_sample_alone(subject: PatternSubject) -> None:
    """The other samples of the batch do not matter."""
    for batch in subject.batches(left=0, right=0):
        together = batch.cells(subject.rows(batch, step=1))
        for sample, expected in zip(batch.samples, together, strict=True):
            alone = subject.batch(batch.attention_kind, rows=[sample.number])
            alone.assert_same(
                subject.rows(alone, step=1),
                [expected],
                "alone in a batch, a sample has another mask",
                "Compute draws and sizes of a sample from its own key and length (call.rng, "
                "call.lengths), never from the batch.",
            )


def check_padding(subject: PatternSubject) -> None:
    """Neither the side nor the amount of padding matters."""
    for batch in subject.batches(left=0, right=0):
        expected = batch.cells(subject.rows(batch, step=1))
        for left, right in ((0, 5), (3, 0), (2, 9)):
            other = subject.batch(batch.attention_kind, left=left, right=right)
            other.assert_same(
                subject.rows(other, step=1),
                expected,
                f"with {left} padding tokens on the left and {right} on the right, a sample has "
                "another mask",
                IN_TOKENS,
            )


def check_offset(subject: PatternSubject) -> None:
    """With a key-value cache, the remaining queries see the same keys as without one."""
    if "decoder" not in subject.attention_kinds:
        raise NotApplicable("there is no cache of queries in cross attention")
    batch = subject.batch("decoder", left=1)
    whole = subject.rows(batch, step=1).dense()
    for offset in (1, batch.q_len // 2, batch.q_len - 1):
        try:
            rows = subject.rows(batch, step=1, offset=offset).dense()
        except OptionError as error:
            raise NotApplicable(f"the pattern refuses a cache: {error}") from None
        for query in range(batch.q_len - offset):
            assert (rows[:, :, query] == whole[:, :, query + offset]).all(), (
                f"with offset {offset}, query {query} sees other keys than query {query + offset} "
                f"of the full mask. {IN_TOKENS} Do not use call.q_len as a length: with a cache it "
                "is 1"
            )


def check_times_of_samples(subject: PatternSubject) -> None:
    """Samples of several times can share a batch."""
    for batch in subject.batches():
        time = np.arange(len(batch.samples)) % 3
        mixed = batch.cells(subject.rows(batch, epoch=time, step=7 * time, progress=time / 2))
        for t in np.unique(time).tolist():
            numbers = np.flatnonzero(time == t).tolist()
            part = subject.batch(batch.attention_kind, numbers, left=1, right=2)
            part.assert_same(
                [mixed[i] for i in numbers],
                subject.rows(part, epoch=t, step=7 * t, progress=t / 2),
                f"in a batch with samples of other times, a sample of epoch {t} has another mask",
                "call.value(option), call.share(option) and the draws of call.rng have one value "
                "per sample.",
            )


def check_annotation_types(subject: PatternSubject) -> None:
    """Annotations may have any integer type, and may be lists."""
    if not subject.pattern.all_required_annotations:
        raise NotApplicable("the pattern requires no annotations")
    conversions: dict[str, Callable[[Any], Any]] = {
        "as int32": lambda array: array.astype(np.int32),
        "as uint8": lambda array: (
            array.astype(np.uint8) if not array.size or array.min() >= 0 else array
        ),
        "as lists": lambda array: array.tolist(),
        "in arrays with gaps": lambda array: np.repeat(array, 2, axis=-1)[..., ::2],
    }
    for batch in subject.batches():
        expected = subject.rows(batch)
        for what, convert in conversions.items():
            annotations = {
                name: convert(v) if isinstance(v, np.ndarray) else [convert(one) for one in v]
                for name, v in batch.annotations.items()
            }
            try:
                rows = subject.rows(batch, annotations)
            except Exception as error:
                raise AssertionError(
                    f"{what}, annotations make the pattern raise {described(error)}\n{READ}"
                ) from error
            what = f"{what}, the same annotations give another mask"
            batch.assert_same(rows, expected, what, f"{READ}: they return int64.")


def check_missing_annotation(subject: PatternSubject) -> None:
    """A missing annotation raises an error with its name."""
    names = subject.pattern.all_required_annotations
    if not names:
        raise NotApplicable("the pattern requires no annotations")
    for name in names:
        messages = []
        for batch, layer_idx in product(subject.batches(), LAYERS):
            annotations = {key: values for key, values in batch.annotations.items() if key != name}
            try:
                subject.rows(batch, annotations, layer_idx=layer_idx)
            except TokenError as error:
                messages.append(str(error))
            except Exception as error:
                raise AssertionError(
                    f"without the annotation {name!r} the pattern raises {described(error)}\nIt "
                    f"should raise TokenError. {READ}"
                ) from error
        assert messages, (
            f"the annotation {name!r} is in `required_annotations`, but without it nothing is "
            f"raised. {READ}: they raise an error with its name"
        )
        for message in messages:
            assert repr(name) in message, (
                f"the message does not name the annotation {name!r}: {message}"
            )


def _rows_at_moments(subject: PatternSubject, batch: Batch, layer_idx: int = 0) -> list[Intervals]:
    return [
        subject.rows(batch, epoch=epoch, step=step, progress=progress, layer_idx=layer_idx)
        for epoch, step, progress in MOMENTS
    ]


def _has_schedule(subject: PatternSubject) -> bool:
    return any(isinstance(part, Schedule) for part in subject.pattern.parts)


def check_time_comes_by_clocks(subject: PatternSubject) -> None:
    """The mask changes with time only if a clock or a schedule of the pattern does."""
    for batch in subject.batches():
        first: dict[tuple[Any, ...], Intervals] = {}
        for moment, rows in zip(MOMENTS, _rows_at_moments(subject, batch), strict=True):
            epoch, step, progress = moment
            times = [
                int(clock(np.array([epoch]), np.array([step]))[0])
                for clock in subject.pattern.clocks
            ]
            state = (*times, progress if _has_schedule(subject) else None)
            batch.assert_same(
                rows,
                first.setdefault(state, rows),
                f"at epoch {epoch}, step {step} and progress {progress} the pattern has another "
                "mask, but no clock or schedule of it has changed",
                "Draw with call.rng(self.clock), read options with call.value, and make clocks and "
                "schedules options (fields).",
            )


def check_is_dynamic(subject: PatternSubject) -> None:
    """A pattern with ``is_dynamic`` changes with time."""
    if not subject.pattern.is_dynamic:
        raise NotApplicable("the pattern is static (is_dynamic is False)")
    for batch, layer_idx in product(subject.batches(), LAYERS):
        cells = [batch.cells(rows) for rows in _rows_at_moments(subject, batch, layer_idx)]
        if not all(all(map(np.array_equal, cells[0], other)) for other in cells[1:]):
            return
    if _has_schedule(subject):
        raise NotApplicable(f"rows of up to {max(subject.lengths)} keys are too short to change")
    raise AssertionError(
        "the pattern has a clock that ticks, but the same mask at all times. Draw with "
        "call.rng(self.clock); if nothing is drawn, remove the clock or set it to Never(), so that "
        "`is_dynamic` is True only for masks that change"
    )


def check_chance_comes_by_clocks(subject: PatternSubject) -> None:
    """Without a clock, neither the seed nor the sample key matters."""
    if subject.pattern.clocks:
        raise NotApplicable("the pattern has a clock, so it may draw")
    for batch in subject.batches():
        expected = subject.rows(batch)
        others = [f"another {key}" for key in batch.keys]
        for what, rows in {
            "seed": subject.rows(batch, seed=1),
            "sample key": subject.rows(batch, keys=others),
        }.items():
            batch.assert_same(
                rows,
                expected,
                f"with another {what} the pattern has another mask, though it has no clock",
                "Make the clock an option (a field), and draw with call.rng(self.clock).",
            )


def check_layer_idx_is_declared(subject: PatternSubject) -> None:
    """Masks differ between layers only if the pattern declares `reads_layer_idx`."""
    if subject.pattern.uses_layer_idx:
        raise NotApplicable("the pattern declares reads_layer_idx")
    for batch, layer_idx in product(subject.batches(), LAYERS[1:]):
        batch.assert_same(
            subject.rows(batch, layer_idx=layer_idx),
            subject.rows(batch),
            f"layer {layer_idx} has another mask than layer 0",
            "Declare it in the class (reads_layer_idx = True): otherwise all layers get the mask "
            "of layer 0.",
        )
