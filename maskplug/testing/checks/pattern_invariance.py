"""A sample's mask depends neither on its company nor on padding, a cache, or types of arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from maskplug.attention import Intervals
from maskplug.errors import OptionError
from maskplug.testing.checks.pattern_purity import assert_same_blocks, assert_same_cells
from maskplug.testing.pattern_subject import Batch, PatternSubject
from maskplug.testing.subject import NotApplicable

OWN = "Count in the sample's own tokens: site.q, site.lengths, and site.intervals for the result."


def check_sample_alone(subject: PatternSubject) -> None:
    """A sample's mask is its own, whatever else is in the batch."""
    for batch in subject.batches(left=0, right=0):
        together = batch.cells(subject.rows(batch, step=1))
        for sample, expected in zip(batch.samples, together, strict=True):
            alone = subject.batch(batch.attention_kind, rows=[sample.number])
            assert_same_blocks(
                alone,
                alone.cells(subject.rows(alone, step=1)),
                [expected],
                "alone in a batch, a sample has other cells",
                "What is drawn or divided for a sample comes from its own key and length "
                "(site.rng, site.lengths), never from the batch.",
            )


def check_padding(subject: PatternSubject) -> None:
    """Neither the side nor the amount of padding matters."""
    for batch in subject.batches(left=0, right=0):
        expected = batch.cells(subject.rows(batch, step=1))
        for left, right in ((0, 5), (3, 0), (2, 9)):
            other = subject.batch(batch.attention_kind, left=left, right=right)
            assert_same_blocks(
                other,
                other.cells(subject.rows(other, step=1)),
                expected,
                f"with {left} padding tokens on the left and {right} on the right, a sample has "
                "other cells",
                OWN,
            )


def check_offset(subject: PatternSubject) -> None:
    """With a cache, the queries that are left see what they see without one."""
    if "decoder" not in subject.places:
        raise NotApplicable("there is no cache of queries in cross attention")
    batch = subject.batch("decoder", left=1)
    whole = subject.rows(batch, step=1).dense()
    for offset in (1, batch.q_len // 2, batch.q_len - 1):
        try:
            found = subject.rows(batch, step=1, offset=offset)
        except OptionError as error:
            raise NotApplicable(f"the pattern refuses a cache: {error}") from None
        for query, (one, other) in enumerate(
            zip(np.moveaxis(found.dense(), 2, 0), np.moveaxis(whole, 2, 0)[offset:], strict=True)
        ):
            assert (one == other).all(), (
                f"from key {offset} on, query {query} sees other keys than query {query + offset} "
                f"of the full mask. {OWN} site.queries is no length: with a cache it is 1"
            )


def check_times_of_samples(subject: PatternSubject) -> None:
    """Samples of several times may share a batch."""
    for batch in subject.batches():
        time = np.arange(len(batch.samples)) % 3
        mixed = batch.cells(subject.rows(batch, epoch=time, step=7 * time, progress=time / 2))
        for at in np.unique(time).tolist():
            rows = np.flatnonzero(time == at)
            one = subject.batch(batch.attention_kind, rows.tolist(), left=1, right=2)
            assert_same_blocks(
                one,
                [mixed[i] for i in rows],
                one.cells(subject.rows(one, epoch=at, step=7 * at, progress=at / 2)),
                f"among samples of other times, a sample of epoch {at} has other cells",
                "site.value(option), site.share(option) and the draws of site.rng hold one value "
                "for each sample.",
            )


def check_types_of_layers(subject: PatternSubject) -> None:
    """The integer type of layers does not matter, nor whether they are lists."""
    if not subject.pattern.all_required_annotations:
        raise NotApplicable("the pattern reads no layer")
    forms: dict[str, Callable[[Any], Any]] = {
        "as int32": lambda array: array.astype(np.int32),
        "as uint8": _unsigned,
        "as lists": lambda array: array.tolist(),
        "in arrays with gaps": lambda array: np.repeat(array, 2, axis=-1)[..., ::2],
    }
    for batch in subject.batches():
        expected = subject.rows(batch)
        for what, form in forms.items():
            found = _reformed(subject, batch, what, form)
            assert_same_cells(
                batch,
                found,
                expected,
                f"{what}, layers of the same numbers show other cells",
                "Read layers with site.layer, site.each and site.pairs: they give int64.",
            )


def _reformed(
    subject: PatternSubject, batch: Batch, what: str, form: Callable[[Any], Any]
) -> Intervals:
    annotations = {
        name: form(layer) if isinstance(layer, np.ndarray) else [form(one) for one in layer]
        for name, layer in batch.annotations.items()
    }
    try:
        return subject.rows(batch, annotations)
    except Exception as error:
        raise AssertionError(
            f"{what}, layers make the pattern raise {type(error).__name__}: {error}\nRead them "
            "with site.layer, site.each and site.pairs"
        ) from error


def _unsigned(array: Any) -> Any:
    return array.astype(np.uint8) if not array.size or array.min() >= 0 else array
