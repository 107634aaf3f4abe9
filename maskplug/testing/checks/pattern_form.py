"""Patterns return well-formed intervals, and renderers agree with them."""

from __future__ import annotations

import warnings
from typing import Any, get_args

import numpy as np

from maskplug.attention import AttentionKind, Intervals, pattern
from maskplug.errors import MaskplugError, MaskplugWarning, PluginError, TokenError
from maskplug.spec import to_json
from maskplug.testing.pattern_subject import HEADS, Batch, PatternSubject

FORM = "Return call.intervals((lo, hi), …), Intervals.of or Intervals.of_mask, and &, | and ~."


def _intervals(subject: PatternSubject, batch: Batch) -> Intervals:
    try:
        rows = subject.rows(batch)
    except TokenError as error:
        raise AssertionError(
            f"{error}\nList every annotation in the class attribute `required_annotations`; the "
            "checks create only those. If small integers do not suit, pass `annotations` to the "
            "check"
        ) from error
    assert isinstance(rows, Intervals), f"rows(call) returns {type(rows).__name__}. {FORM}"
    return rows


def check_result(subject: PatternSubject) -> None:
    """A pattern returns intervals for every query, and supports at least one attention kind."""
    refused = {kind: subject.refusal(kind) for kind in get_args(AttentionKind)}
    assert subject.attention_kinds, f"the pattern refuses every attention kind: {refused}"
    for batch in subject.batches():
        rows = _intervals(subject, batch)
        assert rows.n_keys == batch.kv_len, (
            f"the intervals are for {rows.n_keys} keys, but call.kv_len is {batch.kv_len}. {FORM}"
        )
        samples, heads, queries = rows.shape
        fits = samples in (1, len(batch.samples)) and heads in (1, HEADS) and queries == batch.q_len
        assert fits, (
            f"the intervals are for {samples} samples, {heads} heads and {queries} queries; the "
            f"call has {len(batch.samples)}, {HEADS} and {batch.q_len} (samples and heads may be "
            f"1). {FORM}"
        )


def check_canonical(subject: PatternSubject) -> None:
    """Intervals are sorted and disjoint, and their arrays are read-only."""
    for batch in subject.batches():
        rows = _intervals(subject, batch)
        lo, hi, n = rows.lo, rows.hi, rows.n_keys
        used = lo < hi
        canonical = (
            (used[..., :-1] >= used[..., 1:]).all()
            and ((lo[..., 1:] > hi[..., :-1]) | ~used[..., 1:]).all()
            and ((lo >= 0) & (hi <= n)).all()
            and ((lo == n) & (hi == n))[~used].all()
        )
        assert canonical, (
            "the intervals are not sorted, disjoint, apart from each other and within the keys, "
            f"with unused ones at the end as [{n}, {n}): {lo.tolist()}, {hi.tolist()}. {FORM}"
        )
        arrays: dict[str, tuple[Any, Any]] = {"lo": (lo, np.int32), "hi": (hi, np.int32)}
        arrays |= {} if rows.keys is None else {"keys": (rows.keys, np.bool_)}
        arrays |= {} if rows.phase is None else {"phase": (rows.phase, np.int32)}
        for name, (array, dtype) in arrays.items():
            assert array.dtype == dtype, f"{name} is {array.dtype}, not {np.dtype(dtype)}. {FORM}"
            readonly = array.flags.c_contiguous and not array.flags.writeable
            assert readonly, (
                f"{name} is not contiguous or is writable (maskplug.types.readonly fixes both). "
                f"{FORM}"
            )


def check_renderers(subject: PatternSubject) -> None:
    """The dense, hidden and additive masks and the counts agree with the intervals."""
    for batch in subject.batches():
        rows = _intervals(subject, batch)
        expected = rows.dense()
        arguments: dict[str, Any] = {
            "q_len": batch.q_len,
            "kv_len": batch.kv_len,
            "seed": subject.seed,
            "keys": batch.keys,
            "heads": HEADS,
            "attention_kind": batch.attention_kind,
            **batch.annotations,
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MaskplugWarning)  # queries that see nothing
            masks = {
                "dense": subject.pattern.dense(**arguments),
                "hidden": ~subject.pattern.hidden(**arguments),
                "additive": subject.pattern.additive(**arguments) == 0,
                "expanded": rows.expanded().dense(),
            }
        for name, mask in masks.items():
            assert np.array_equal(mask, expected), (
                f"{name} differs from the intervals in {batch.attention_kind!r}. Override "
                "rows(call), and leave the renderers to Pattern"
            )
        assert np.array_equal(rows.counts, expected.sum(-1)), (
            f"counts are {rows.counts.tolist()}, but the numbers of visible keys are "
            f"{expected.sum(-1).tolist()}. {FORM}"
        )


def check_expression_round_trip(subject: PatternSubject) -> None:
    """The text of a pattern is an expression for the same pattern."""
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
        f"its text {text!r} is another pattern: {to_json(again.spec)}, not {to_json(spec)}. "
        "Leave __str__ to Pattern"
    )
