"""Patterns that break one promise each; broken_patterns.py says which check catches which."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

import maskplug
from maskplug.attention import AttentionCall, Intervals, Pattern
from maskplug.clock import Step
from maskplug.parts import Clock, Schedule
from maskplug.schedule import Linear

STEP = Step()


@dataclass(frozen=True)
class Up(Pattern):
    """Sees what came before, up to what ``last`` says; what is broken here overrides it."""

    def rows(self, site: AttentionCall) -> Intervals:
        return site.intervals((np.zeros_like(site.q), self.last(site)))

    def last(self, site: AttentionCall) -> Any:
        return site.q + 1


@dataclass(frozen=True)
class Dense(Up):
    """Answers with a matrix."""

    def rows(self, site: AttentionCall) -> Any:
        return super().rows(site).dense()


@dataclass(frozen=True)
class Flat(Up):
    """One row for all queries."""

    def rows(self, site: AttentionCall) -> Intervals:
        return Intervals.of(site.kv_len, [[[[0]]]], [[[[site.kv_len]]]])


@dataclass(frozen=True)
class Short(Up):
    """Forgets keys."""

    def rows(self, site: AttentionCall) -> Intervals:
        return Intervals.of(site.kv_len - 1, 0 * site.q[..., None], site.q[..., None] + 1)


@dataclass(frozen=True)
class Nowhere(Up):
    """Refuses everything."""

    def last(self, site: AttentionCall) -> Any:
        raise maskplug.OptionError("not today")


@dataclass(frozen=True)
class Undeclared(Up):
    """Reads a layer and does not say so."""

    def last(self, site: AttentionCall) -> Any:
        return site.q + site.per_token("ends", "undeclared")[:, None, : site.q_len]


@dataclass(frozen=True)
class Untidy(Up):
    """Touching intervals."""

    def rows(self, site: AttentionCall) -> Intervals:
        lo = np.zeros((1, 1, site.q_len, 2), np.int32)
        lo[..., 1] = 1
        hi = np.minimum(lo + 1, site.kv_len)
        lo.flags.writeable = hi.flags.writeable = False
        return Intervals(lo, hi, site.kv_len)


@dataclass(frozen=True)
class Open(Up):
    """Arrays that the next one may write to."""

    def rows(self, site: AttentionCall) -> Intervals:
        found = super().rows(site)
        return replace(found, lo=found.lo.copy(), hi=found.hi.copy())


@dataclass(frozen=True)
class Wide(Up):
    """Bounds of 64 bits."""

    def rows(self, site: AttentionCall) -> Intervals:
        found = super().rows(site)
        return replace(found, lo=found.lo.astype(np.int64))


@dataclass(frozen=True)
class OwnDense(Up):
    """Another mask when it is asked for a matrix."""

    def dense(self, *arguments: Any, **more: Any) -> Any:
        return ~super().dense(*arguments, **more)


class Miscounted(Intervals):
    """Counts one too many."""

    @property
    def counts(self) -> Any:  # type: ignore[override]
        return self.dense().sum(-1) + 1


@dataclass(frozen=True)
class Counting(Up):
    """Answers with intervals that miscount."""

    def rows(self, site: AttentionCall) -> Intervals:
        found = super().rows(site)
        return Miscounted(found.lo, found.hi, found.n_keys)


@dataclass(frozen=True)
class Unregistered(Up):
    """Nobody knows its name."""


@dataclass(frozen=True)
class Doubling(Up):
    """Changes its option on the way."""

    ahead: int = 2

    def __post_init__(self) -> None:
        object.__setattr__(self, "ahead", 2 * self.ahead)

    def last(self, site: AttentionCall) -> Any:
        return site.q + self.ahead


@dataclass(frozen=True)
class Anything(Up):
    """Takes anything for an option."""

    ahead: Any = 2


@dataclass(frozen=True)
class Hidden(Up):
    """Keeps half of what it is to itself."""

    ahead: int = 2

    def last(self, site: AttentionCall) -> Any:
        return site.q + self.ahead + getattr(self, "_more", 3)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _more=4)


@dataclass(frozen=True)
class Talkative(Up):
    """Tells a story instead of its name."""

    def __str__(self) -> str:
        return "once upon a time"


@dataclass(frozen=True)
class Impostor(Up):
    """Bears another's name."""

    def __str__(self) -> str:
        return "full"


@dataclass(frozen=True)
class Unpicklable(Up):
    """Holds what no process can be given."""

    def __reduce__(self) -> Any:
        raise TypeError("not me")


COUNTER: Iterator[int] = itertools.count()


@dataclass(frozen=True)
class Fresh(Up):
    """Counts its calls."""

    def last(self, site: AttentionCall) -> Any:
        return site.q + 1 + next(COUNTER)


@dataclass(frozen=True)
class Remembering(Up):
    """Keeps the last batch's lengths for the next one."""

    past: ClassVar[dict[int, int]] = {}

    def last(self, site: AttentionCall) -> Any:
        before = self.past.get(site.q_len, 0)
        self.past[site.q_len] = site.batch
        return site.q + 1 + before


@dataclass(frozen=True)
class Seeding(Up):
    """Seeds Python's generator."""

    def last(self, site: AttentionCall) -> Any:
        random.seed(site.context.seed)
        return site.q + 1


@dataclass(frozen=True)
class Dicing(Up):
    """Draws from numpy's generator."""

    def last(self, site: AttentionCall) -> Any:
        return site.q + np.random.randint(1, 99, site.q.shape)  # noqa: NPY002


@dataclass(frozen=True)
class Scribbling(Up):
    """Writes into what it is given."""

    required_annotations = ("documents",)

    def last(self, site: AttentionCall) -> Any:
        site.annotations["documents"][...] = 1
        return site.q + 1


@dataclass(frozen=True)
class ByCompany(Up):
    """A third of the longest sample."""

    def last(self, site: AttentionCall) -> Any:
        return site.q + site.lengths.max() // 3


@dataclass(frozen=True)
class ByPlace(Up):
    """Counts padding."""

    def last(self, site: AttentionCall) -> Any:
        return np.arange(site.q_len)[None, None] // 4 * 4 + 1


@dataclass(frozen=True)
class ByQueries(Up):
    """Takes the number of queries for a length."""

    def last(self, site: AttentionCall) -> Any:
        return site.q + site.q_len // 2


@dataclass(frozen=True)
class FirstTime(Up):
    """The first sample's progress for all."""

    most: Schedule | int = Linear(1, 9)  # noqa: RUF009

    def last(self, site: AttentionCall) -> Any:
        return site.q + site.value(self.most)[:1]


@dataclass(frozen=True)
class Raw(Up):
    """Calculates in whatever type a layer has."""

    required_annotations = ("documents",)

    def last(self, site: AttentionCall) -> Any:
        raw = np.asarray(site.annotations["documents"])
        return (raw - raw.dtype.type(1))[:, None, : site.q_len] // 2 + 3


@dataclass(frozen=True)
class Demanding(Raw):
    """Wants an array."""

    def last(self, site: AttentionCall) -> Any:
        site.annotations["documents"].shape  # noqa: B018
        return site.q + 1


@dataclass(frozen=True)
class Clockless(Up):
    """Looks at the step itself."""

    def last(self, site: AttentionCall) -> Any:
        return site.q + 1 + (site.context.step % 3)[:, None, None]


@dataclass(frozen=True)
class Idle(Up):
    """Has a clock and no use for it."""

    clock: Clock = STEP


@dataclass(frozen=True)
class Seeded(Up):
    """Looks at the seed itself."""

    def last(self, site: AttentionCall) -> Any:
        return site.q + 1 + site.context.seed % 3


@dataclass(frozen=True)
class Keyed(Up):
    """Looks at the sample's key itself."""

    def last(self, site: AttentionCall) -> Any:
        return site.q + 1 + (site.context.keys % np.uint64(3)).astype(np.int64)[:, None, None]


@dataclass(frozen=True)
class Lenient(Up):
    """Does without its layer."""

    required_annotations = ("ends",)

    def last(self, site: AttentionCall) -> Any:
        return site.q + 1 + np.max(site.annotations.get("ends", 1)) // 9


@dataclass(frozen=True)
class Crashing(Up):
    """Says nothing about a missing layer."""

    required_annotations = ("ends",)

    def last(self, site: AttentionCall) -> Any:
        return site.q + 1 + 0 * np.max(site.annotations["ends"])


@dataclass(frozen=True)
class Mumbling(Crashing):
    """Says too little about it."""

    def last(self, site: AttentionCall) -> Any:
        if "ends" not in site.annotations:
            raise maskplug.errors.TokenError("something is missing")
        return super().last(site)
