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

    def rows(self, site: AttentionCall) -> Intervals:
        return site.intervals((np.zeros_like(site.q), self.last(site)))

    def last(self, site: AttentionCall) -> Any:
        return site.q + 1


def seeing(
    message: str, last: Callable[[AttentionCall], Any], required: tuple[str, ...] = ()
) -> Broken:
    """A pattern in which queries see the keys before ``last``."""
    members = {"last": lambda self, site: last(site), "required_annotations": required}
    return Broken(type("Seeing", (Causal,), members), message)


def answering(message: str, rows: Callable[[AttentionCall, Intervals], Any]) -> Broken:
    """A pattern that changes the intervals of the sound one."""

    def changed(self: Causal, site: AttentionCall) -> Any:
        return rows(site, Causal.rows(self, site))

    return Broken(type("Answering", (Causal,), {"rows": changed}), message)


def refuses(site: AttentionCall) -> Any:
    raise maskplug.OptionError("not today")


def touching(site: AttentionCall, rows: Intervals) -> Intervals:
    lo = np.zeros((1, 1, site.q_len, 2), np.int32)
    lo[..., 1] = 1
    hi = np.minimum(lo + 1, site.kv_len)
    lo.flags.writeable = hi.flags.writeable = False
    return Intervals(lo, hi, site.kv_len)


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

    def last(self, site: AttentionCall) -> Any:
        return site.q + self.ahead


@dataclass(frozen=True)
class Anything(Causal):
    """Accept anything for an option."""

    ahead: Any = 2


@dataclass(frozen=True)
class Hidden(Causal):
    """Have state that is not a field."""

    ahead: int = 2

    def last(self, site: AttentionCall) -> Any:
        return site.q + self.ahead + getattr(self, "_more", 3)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _more=4)


@dataclass(frozen=True)
class Unreadable(Causal):
    def __str__(self) -> str:
        return "once upon a time"


@dataclass(frozen=True)
class Impostor(Causal):
    """Have the text of another pattern."""

    def __str__(self) -> str:
        return "full"


@dataclass(frozen=True)
class Unpicklable(Causal):
    def __reduce__(self) -> Any:
        raise TypeError("not me")


COUNTER: Iterator[int] = itertools.count()
LAST_BATCH: dict[int, int] = {}


def by_last_batch(site: AttentionCall) -> Any:
    before = LAST_BATCH.get(site.q_len, 0)
    LAST_BATCH[site.q_len] = site.batch
    return site.q + 1 + before


def seeding(site: AttentionCall) -> Any:
    random.seed(site.context.seed)
    return site.q + 1


def scribbling(site: AttentionCall) -> Any:
    site.annotations["documents"][...] = 1
    return site.q + 1


def by_padded_position(site: AttentionCall) -> Any:
    return np.arange(site.q_len)[None, None] // 4 * 4 + 1


def by_q_len(site: AttentionCall) -> Any:
    return site.q + site.q_len // 2


def in_given_type(site: AttentionCall) -> Any:
    raw = np.asarray(site.annotations["documents"])
    return (raw - raw.dtype.type(1))[:, None, : site.q_len] // 2 + 3


def arrays_only(site: AttentionCall) -> Any:
    site.annotations["documents"].shape  # noqa: B018
    return site.q + 1


@dataclass(frozen=True)
class ProgressOfFirst(Causal):
    most: Schedule | int = Linear(1, 9)  # noqa: RUF009

    def last(self, site: AttentionCall) -> Any:
        return site.q + site.value(self.most)[:1]


@dataclass(frozen=True)
class Idle(Causal):
    """Have an unused clock."""

    clock: Clock = STEP


def by_key(site: AttentionCall) -> Any:
    return site.q + 1 + (site.context.keys % np.uint64(3)).astype(np.int64)[:, None, None]


def crashing(site: AttentionCall) -> Any:
    return site.q + 1 + 0 * np.max(site.annotations["ends"])


def vague(site: AttentionCall) -> Any:
    if "ends" not in site.annotations:
        raise maskplug.errors.TokenError("something is missing")
    return crashing(site)


#: Registered as patterns of a distribution "broken" while the examples run.
CLASSES = [Doubling, Anything, Hidden, Unreadable, Impostor]
DOCUMENTS, ENDS = ("documents",), ("ends",)

BROKEN: dict[str, list[Broken]] = {
    "check_result": [
        answering("returns ndarray", lambda site, rows: rows.dense()),
        answering(
            "1 heads and 1 queries",
            lambda site, rows: Intervals.of(site.kv_len, [[[[0]]]], [[[[site.kv_len]]]]),
        ),
        answering(
            "for 19 keys, but call.kv_len is 20",
            lambda site, rows: Intervals.of(
                site.kv_len - 1, 0 * site.q[..., None], site.q[..., None] + 1
            ),
        ),
        seeing("refuses every attention kind.*not today", refuses),
        seeing(
            "in the class attribute `required_annotations`",
            lambda site: site.q + site.per_token("ends", "undeclared")[:, None, : site.q_len],
        ),
    ],
    "check_canonical": [
        answering("not sorted, disjoint, apart", touching),
        answering(
            "lo is not contiguous or is writable",
            lambda site, rows: replace(rows, lo=rows.lo.copy(), hi=rows.hi.copy()),
        ),
        answering(
            "lo is int64, not int32", lambda site, rows: replace(rows, lo=rows.lo.astype(np.int64))
        ),
    ],
    "check_renderers": [
        Broken(OtherDense, "dense differs from the intervals in 'encoder'"),
        answering("counts are", lambda site, rows: Miscounted(rows.lo, rows.hi, rows.n_keys)),
    ],
    "check_expression_round_trip": [
        Broken(Causal, "no expression can be written"),
        Broken(Unreadable, "'once upon a time' cannot be read"),
        Broken(Impostor, "'full' is another pattern"),
    ],
    "check_spec_round_trip": [
        Broken(Causal, "no spec can be made: Causal is not registered"),
        Broken(Doubling, "has another spec"),
        Broken(lambda: Anything({1}), "not plain JSON"),
    ],
    "check_pickle": [
        Broken(Unpicklable, "cannot be pickled.*not me"),
        Broken(Hidden, "a pickled copy gives another result"),
    ],
    "check_same_call_same_mask": [
        seeing("the second call", lambda site: site.q + 1 + next(COUNTER))
    ],
    "check_global_generators_stay": [
        seeing("global generator of random", seeding),
        seeing(
            "global generator of numpy",
            lambda site: site.q + np.random.randint(1, 99, site.q.shape),  # noqa: NPY002
        ),
    ],
    "check_global_generators_are_not_read": [
        seeing(
            "the seed of a global generator",
            lambda site: site.q + np.random.randint(1, 99, site.q.shape),  # noqa: NPY002
        )
    ],
    "check_unknown_option": [Broken(Causal, "nothing is registered")],
    "check_wrong_option": [
        Broken(Anything, "'ahead' of type bytes .* is accepted"),
        Broken(Causal, "nothing is registered"),
    ],
    "check_no_memory_between_calls": [seeing("after other calls", by_last_batch)],
    "check_annotations_stay": [
        seeing("the caller's annotation 'documents'", scribbling, DOCUMENTS)
    ],
    "check_sample_alone": [
        seeing("alone in a batch", lambda site: site.q + site.lengths.max() // 3)
    ],
    "check_padding": [
        seeing("with 3 padding tokens on the left and 0 on the right", by_padded_position),
        seeing("with 0 padding tokens on the left and 5 on the right", by_q_len),
    ],
    "check_offset": [
        seeing("with offset 1, query 0 sees other keys than query 1", by_q_len),
        seeing("with offset 1", by_padded_position),
    ],
    "check_times_of_samples": [Broken(ProgressOfFirst, "with samples of other times")],
    "check_annotation_types": [
        seeing("as uint8, the same annotations", in_given_type, DOCUMENTS),
        seeing("as lists, annotations make the pattern raise Attrib", arrays_only, DOCUMENTS),
    ],
    "check_missing_annotation": [
        seeing(
            "'ends' is in `required_annotations`, but without it nothing is",
            lambda site: site.q + 1 + np.max(site.annotations.get("ends", 1)) // 9,
            ENDS,
        ),
        seeing("without the annotation 'ends' the pattern raises KeyError", crashing, ENDS),
        seeing("does not name the annotation 'ends'", vague, ENDS),
    ],
    "check_time_comes_by_clocks": [
        seeing(
            "no clock or schedule of it has changed",
            lambda site: site.q + 1 + (site.context.step % 3)[:, None, None],
        )
    ],
    "check_is_dynamic": [Broken(Idle, "has a clock that ticks, but the same mask")],
    "check_chance_comes_by_clocks": [
        seeing("with another seed", lambda site: site.q + 1 + site.context.seed % 3),
        seeing("with another sample key", by_key),
    ],
    "check_layer_idx_is_declared": [
        seeing("layer 1 has another mask than layer 0", lambda site: site.q + 1 + site.layer_idx)
    ],
}
#: Unusual patterns that pass or to which a check does not apply.
SOUND: dict[str, Callable[[], Pattern]] = {
    "a static clock": lambda: WaitK(2, most=5, clock=maskplug.part("clock", "never")),
    "a schedule beyond the rows": lambda: maskplug.pattern("window(left=linear(64, 512))"),
}
