"""For every check of patterns, broken patterns and the messages that they cause."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import maskplug
from maskplug.attention import AttentionCall, Intervals, Pattern, WaitK
from maskplug.clock import Step
from maskplug.parts import Clock, Schedule
from maskplug.schedule import Linear

STEP = Step()


@dataclass(frozen=True)
class Broken:
    """A pattern with a defect, and a regular expression for the message of the check."""

    make: Callable[[], Pattern]
    message: str


@dataclass(frozen=True)
class Causal(Pattern):
    """A sound pattern that is not registered; the broken ones override ``last`` or ``rows``."""

    def rows(self, call: AttentionCall) -> Intervals:
        return call.intervals((np.zeros_like(call.q), self.last(call)))

    def last(self, call: AttentionCall) -> Any:
        return call.q + 1


def with_last(
    message: str, last: Callable[[AttentionCall], Any], required: tuple[str, ...] = ()
) -> Broken:
    """Return a pattern whose queries attend to the keys before ``last``."""
    members = {"last": lambda self, call: last(call), "required_annotations": required}
    return Broken(type("WithLast", (Causal,), members), message)


def with_rows(message: str, rows: Callable[[AttentionCall, Intervals], Any]) -> Broken:
    """Return a pattern that changes the intervals of the sound one."""

    def changed(self: Causal, call: AttentionCall) -> Any:
        return rows(call, Causal.rows(self, call))

    return Broken(type("WithRows", (Causal,), {"rows": changed}), message)


def refuses(call: AttentionCall) -> Any:
    raise maskplug.OptionError("always refused")


def touching(call: AttentionCall, rows: Intervals) -> Intervals:
    lo = np.zeros((1, 1, call.q_len, 2), np.int32)
    lo[..., 1] = 1
    hi = np.minimum(lo + 1, call.kv_len)
    lo.flags.writeable = hi.flags.writeable = False
    return Intervals(lo, hi, call.kv_len)


@dataclass(frozen=True)
class OtherDense(Causal):
    def dense(self, *arguments: Any, **more: Any) -> Any:
        return ~super().dense(*arguments, **more)


class Miscounted(Intervals):
    @property
    def counts(self) -> Any:  # type: ignore[override]
        return self.dense().sum(-1) + 1


@dataclass(frozen=True)
class Doubling(Causal):
    """Change the option on the way."""

    ahead: int = 2

    def __post_init__(self) -> None:
        object.__setattr__(self, "ahead", 2 * self.ahead)

    def last(self, call: AttentionCall) -> Any:
        return call.q + self.ahead


@dataclass(frozen=True)
class Anything(Causal):
    """Accept anything for an option."""

    ahead: Any = 2


@dataclass(frozen=True)
class Hidden(Causal):
    """Have state that is not a field."""

    ahead: int = 2

    def last(self, call: AttentionCall) -> Any:
        return call.q + self.ahead + getattr(self, "_more", 3)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _more=4)


@dataclass(frozen=True)
class Unreadable(Causal):
    def __str__(self) -> str:
        return "not an expression"


@dataclass(frozen=True)
class OtherText(Causal):
    """Have the text of another pattern."""

    def __str__(self) -> str:
        return "full"


@dataclass(frozen=True)
class Unpicklable(Causal):
    def __reduce__(self) -> Any:
        raise TypeError("unpicklable")


COUNTER: Iterator[int] = itertools.count()
LAST_BATCH: dict[int, int] = {}


def by_last_batch(call: AttentionCall) -> Any:
    before = LAST_BATCH.get(call.q_len, 0)
    LAST_BATCH[call.q_len] = call.batch
    return call.q + 1 + before


def seeding(call: AttentionCall) -> Any:
    random.seed(call.context.seed)
    return call.q + 1


def writing_annotations(call: AttentionCall) -> Any:
    call.annotations["documents"][...] = 1
    return call.q + 1


def by_padded_position(call: AttentionCall) -> Any:
    return np.arange(call.q_len)[None, None] // 4 * 4 + 1


def by_q_len(call: AttentionCall) -> Any:
    return call.q + call.q_len // 2


def in_callers_type(call: AttentionCall) -> Any:
    raw = np.asarray(call.annotations["documents"])
    return (raw - raw.dtype.type(1))[:, None, : call.q_len] // 2 + 3


def arrays_only(call: AttentionCall) -> Any:
    call.annotations["documents"].shape  # noqa: B018
    return call.q + 1


@dataclass(frozen=True)
class ProgressOfFirst(Causal):
    most: Schedule | int = Linear(1, 9)  # noqa: RUF009

    def last(self, call: AttentionCall) -> Any:
        return call.q + call.value(self.most)[:1]


@dataclass(frozen=True)
class Idle(Causal):
    """Have an unused clock."""

    clock: Clock = STEP


def by_key(call: AttentionCall) -> Any:
    return call.q + 1 + (call.context.keys % np.uint64(3)).astype(np.int64)[:, None, None]


def crashing(call: AttentionCall) -> Any:
    return call.q + 1 + 0 * np.max(call.annotations["ends"])


def vague(call: AttentionCall) -> Any:
    if "ends" not in call.annotations:
        raise maskplug.errors.TokenError("something is missing")
    return crashing(call)


#: Registered as patterns of a distribution "broken" while the examples run.
CLASSES = [Doubling, Anything, Hidden, Unreadable, OtherText]
DOCUMENTS, ENDS = ("documents",), ("ends",)

BROKEN: dict[str, list[Broken]] = {
    "check_result": [
        with_rows("returns ndarray", lambda call, rows: rows.dense()),
        with_rows(
            "1 heads and 1 queries",
            lambda call, rows: Intervals.of(call.kv_len, [[[[0]]]], [[[[call.kv_len]]]]),
        ),
        with_rows(
            "for 19 keys, but call.kv_len is 20",
            lambda call, rows: Intervals.of(
                call.kv_len - 1, 0 * call.q[..., None], call.q[..., None] + 1
            ),
        ),
        with_last("refuses every attention kind.*always refused", refuses),
        with_last(
            "in the class attribute `required_annotations`",
            lambda call: call.q + call.per_token("ends", "undeclared")[:, None, : call.q_len],
        ),
    ],
    "check_canonical": [
        with_rows("not sorted, disjoint, apart", touching),
        with_rows(
            "lo is not contiguous or is writable",
            lambda call, rows: replace(rows, lo=rows.lo.copy(), hi=rows.hi.copy()),
        ),
        with_rows(
            "lo is int64, not int32", lambda call, rows: replace(rows, lo=rows.lo.astype(np.int64))
        ),
    ],
    "check_renderers": [
        Broken(OtherDense, "dense differs from the intervals in 'encoder'"),
        with_rows("counts are", lambda call, rows: Miscounted(rows.lo, rows.hi, rows.n_keys)),
    ],
    "check_expression_round_trip": [
        Broken(Causal, "no expression can be written"),
        Broken(Unreadable, "'not an expression' cannot be read"),
        Broken(OtherText, "'full' is another pattern"),
    ],
    "check_spec_round_trip": [
        Broken(Causal, "no spec can be made: Causal is not registered"),
        Broken(Doubling, "has another spec"),
        Broken(lambda: Anything({1}), "not plain JSON"),
    ],
    "check_pickle": [
        Broken(Unpicklable, "cannot be pickled.*unpicklable"),
        Broken(Hidden, "a pickled copy gives another result"),
    ],
    "check_same_call_same_mask": [
        with_last("the second call", lambda call: call.q + 1 + next(COUNTER))
    ],
    "check_global_generators_stay": [
        with_last("global generator of random", seeding),
        with_last(
            "global generator of numpy",
            lambda call: call.q + np.random.randint(1, 99, call.q.shape),  # noqa: NPY002
        ),
    ],
    "check_global_generators_are_not_read": [
        with_last(
            "the seed of a global generator",
            lambda call: call.q + np.random.randint(1, 99, call.q.shape),  # noqa: NPY002
        )
    ],
    "check_unknown_option": [Broken(Causal, "nothing is registered")],
    "check_wrong_option": [
        Broken(Anything, "'ahead' of type bytes .* is accepted"),
        Broken(Causal, "nothing is registered"),
    ],
    "check_no_memory_between_calls": [with_last("after other calls", by_last_batch)],
    "check_annotations_stay": [
        with_last("the caller's annotation 'documents'", writing_annotations, DOCUMENTS)
    ],
    "check_sample_alone": [
        with_last("alone in a batch", lambda call: call.q + call.lengths.max() // 3)
    ],
    "check_padding": [
        with_last("with 3 padding tokens on the left and 0 on the right", by_padded_position),
        with_last("with 0 padding tokens on the left and 5 on the right", by_q_len),
    ],
    "check_offset": [
        with_last("with offset 1, query 0 sees other keys than query 1", by_q_len),
        with_last("with offset 1", by_padded_position),
    ],
    "check_times_of_samples": [Broken(ProgressOfFirst, "with samples of other times")],
    "check_annotation_types": [
        with_last("as uint8, the same annotations", in_callers_type, DOCUMENTS),
        with_last("as lists, annotations make the pattern raise Attrib", arrays_only, DOCUMENTS),
    ],
    "check_missing_annotation": [
        with_last(
            "'ends' is in `required_annotations`, but without it nothing is",
            lambda call: call.q + 1 + np.max(call.annotations.get("ends", 1)) // 9,
            ENDS,
        ),
        with_last("without the annotation 'ends' the pattern raises KeyError", crashing, ENDS),
        with_last("does not name the annotation 'ends'", vague, ENDS),
    ],
    "check_time_comes_by_clocks": [
        with_last(
            "no clock or schedule of it has changed",
            lambda call: call.q + 1 + (call.context.step % 3)[:, None, None],
        )
    ],
    "check_is_dynamic": [Broken(Idle, "has a clock that ticks, but the same mask")],
    "check_chance_comes_by_clocks": [
        with_last("with another seed", lambda call: call.q + 1 + call.context.seed % 3),
        with_last("with another sample key", by_key),
    ],
    "check_layer_idx_is_declared": [
        with_last("layer 1 has another mask than layer 0", lambda call: call.q + 1 + call.layer_idx)
    ],
}
#: Unusual patterns that pass or to which a check does not apply.
SOUND: dict[str, Callable[[], Pattern]] = {
    "a static clock": lambda: WaitK(2, most=5, clock=maskplug.part("clock", "never")),
    "a schedule beyond the rows": lambda: maskplug.pattern("window(left=linear(64, 512))"),
}
