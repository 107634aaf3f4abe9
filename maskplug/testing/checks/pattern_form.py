"""What a pattern answers has the form that every renderer relies on."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from maskplug.attention import Intervals
from maskplug.errors import MaskplugWarning, TokenError
from maskplug.testing.pattern_subject import HEADS, Batch, PatternSubject

FORM = "Answer with site.intervals((lo, hi), …), Intervals.of or Intervals.of_mask, and &, | and ~."


def _intervals(subject: PatternSubject, batch: Batch) -> Intervals:
    try:
        found = subject.rows(batch)
    except TokenError as error:
        raise AssertionError(
            f"{error}\nName every layer in the class attribute `reads`; the kit makes those and no "
            "others. Where small integers will not do, give `layers` to the check"
        ) from error
    assert isinstance(found, Intervals), f"rows(site) returns {type(found).__name__}. {FORM}"
    return found


def check_result(subject: PatternSubject) -> None:
    """A pattern answers with intervals for every query, and can be used somewhere."""
    refused = {
        attention_kind: subject.refusal(attention_kind)
        for attention_kind in ("encoder", "decoder", "cross")
    }
    assert subject.places, f"the pattern can be used nowhere: {refused}"
    for batch in subject.batches():
        found = _intervals(subject, batch)
        assert found.n_keys == batch.kv_len, (
            f"the intervals are of {found.n_keys} keys, and the site has {batch.kv_len}. {FORM}"
        )
        samples, heads, queries = found.shape
        fits = samples in (1, len(batch.samples)) and heads in (1, HEADS) and queries == batch.q_len
        assert fits, (
            f"the intervals are for {samples} samples, {heads} heads and {queries} queries; the "
            f"site has {len(batch.samples)}, {HEADS} and {batch.q_len} (samples and heads may be "
            f"1). {FORM}"
        )


def check_canonical(subject: PatternSubject) -> None:
    """The intervals are sorted and disjoint, and their arrays cannot be written to."""
    for batch in subject.batches():
        found = _intervals(subject, batch)
        lo, hi, n = found.lo, found.hi, found.n_keys
        used = lo < hi
        orderly = (
            (used[..., :-1] >= used[..., 1:]).all()
            and ((lo[..., 1:] > hi[..., :-1]) | ~used[..., 1:]).all()
            and ((lo >= 0) & (hi <= n)).all()
            and ((lo == n) & (hi == n))[~used].all()
        )
        assert orderly, (
            "the intervals are not sorted, disjoint, apart from each other and within the keys, "
            f"with unused ones at the end as [{n}, {n}): {found.lo.tolist()}, {found.hi.tolist()}. "
            f"{FORM}"
        )
        arrays: dict[str, tuple[Any, Any]] = {"lo": (lo, np.int32), "hi": (hi, np.int32)}
        arrays |= {} if found.keys is None else {"keys": (found.keys, np.bool_)}
        arrays |= {} if found.phase is None else {"phase": (found.phase, np.int32)}
        for name, (array, dtype) in arrays.items():
            assert array.dtype == dtype, f"{name} is {array.dtype}, not {np.dtype(dtype)}. {FORM}"
            sealed = array.flags.c_contiguous and not array.flags.writeable
            assert sealed, (
                f"{name} has gaps or can be written to (maskplug.types.frozen mends that). {FORM}"
            )


def check_renderers(subject: PatternSubject) -> None:
    """The dense mask, the hidden, the additive and the counts say what the intervals say."""
    for batch in subject.batches():
        found = _intervals(subject, batch)
        expected = found.dense()
        arguments: dict[str, Any] = {
            "q_len": batch.q_len,
            "kv_len": batch.kv_len,
            **batch.annotations,
        }
        arguments |= {
            "seed": subject.seed,
            "keys": batch.names,
            "heads": HEADS,
            "attention_kind": batch.attention_kind,
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MaskplugWarning)  # of queries that see nothing
            dense = subject.pattern.dense(**arguments)
            hidden = subject.pattern.hidden(**arguments)
            added = subject.pattern.additive(**arguments)
        for name, mask in {
            "dense": dense,
            "hidden": ~hidden,
            "additive": added == 0,
            "expanded": found.expanded().dense(),
        }.items():
            assert np.array_equal(mask, expected), (
                f"{name} says otherwise than the intervals in {batch.attention_kind!r}. Write rows(site), "
                "and leave the renderers to Pattern"
            )
        assert np.array_equal(found.counts, expected.sum(-1)), (
            f"counts are {found.counts.tolist()}, and so many cells are visible: "
            f"{expected.sum(-1).tolist()}. {FORM}"
        )
