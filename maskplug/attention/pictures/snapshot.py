"""Pictures of patterns: M(t) at one time or several, beside another pattern, and what leaks."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Pattern, pattern
from maskplug.attention.patterns import Document, Padding
from maskplug.attention.pictures.frame import Frame
from maskplug.attention.pictures.picture import Picture, one
from maskplug.attention.site import AttentionCall
from maskplug.errors import MaskplugError, MaskplugWarning, OptionError
from maskplug.parts import Schedule
from maskplug.schedule import progress_at
from maskplug.types import BoolArray

#: A picture of more cells takes more memory than looking at it is worth.
MOST = 1 << 26


@dataclass(frozen=True)
class _Real(Pattern):
    """Queries that are no padding see one key, others nothing."""

    def rows(self, site: AttentionCall) -> Intervals:
        """The first key, or nothing."""
        return site.cells(site.valid_queries[:, None], "first")


def picture(
    shown: Pattern,
    q_len: int,
    kv_len: int | None = None,
    t: int = 0,
    *,
    sample: int = 0,
    head: int = 0,
    block: int | None = None,
    times: Sequence[int] | None = None,
    total: int | None = None,
    compare: Pattern | str | None = None,
    within: Pattern | str | None = None,
    queries: Sequence[str] | None = None,
    key_texts: Sequence[str] | None = None,
    **more: Any,
) -> Picture:
    """What ``Pattern.picture`` returns; its docstring explains the arguments."""
    _check(q_len, q_len if kv_len is None else kv_len, head, more)
    if compare is not None and within is not None:
        raise OptionError("a picture shows 'compare' or 'within', not both")
    other = None if compare is None else pattern(compare)
    limits: dict[str, Pattern] = {}
    if other is None:
        limits = dict(_limits(None if within is None else pattern(within), more))
    frames = []
    for caption, moment in _moments(shown, other, t, times, total, more):
        pick = _Pick((q_len, kv_len), moment, sample, head)
        seen, real = pick(shown), pick(_Real())
        leaks = None
        if limits:
            leaks = seen & real[:, :1] & ~np.logical_and.reduce([pick(p) for p in limits.values()])
        rest = None if other is None else pick(other)
        frames.append(Frame(seen, rest, leaks, real[:, 0], caption))
    title = str(shown) if other is None else f"A = {shown}\nB = {other}"
    if key_texts is None and more.get("attention_kind") != "cross":
        key_texts = queries if frames[0].seen.shape[1] == q_len else None
    texts = (None if given is None else tuple(given) for given in (queries, key_texts))
    return Picture(tuple(frames), title, ("A", "B"), ", ".join(limits), block, *texts)


def glance(shown: Pattern) -> Picture | None:
    """A small picture for a notebook, at several times if it moves; None if it needs layers."""
    times: dict[str, Any] = {}
    if shown.is_dynamic:
        scheduled = any(isinstance(part, Schedule) for part in shown.parts)
        times = {"times": (0, 50, 100), "total": 100} if scheduled else {"times": (0, 1, 2)}
    for attention_kind in ("encoder", "decoder", "cross"):
        try:
            return picture(shown, 24, attention_kind=attention_kind, **times)
        except MaskplugError:
            continue
    return None


def _check(queries: int, keys: int, head: int, more: dict[str, Any]) -> None:
    """Refuse numbers out of range, also those that this pattern would not ask for."""
    if queries < 1 or keys < 1 or queries * keys > MOST:
        raise OptionError(
            f"a picture of {queries} queries and {keys} keys; it has from 1 to {MOST:,} cells"
        )
    for name in ("epoch", "layer_idx", "seed"):
        if more.get(name, 0) < 0:
            raise OptionError(f"{name} is {more[name]}; it must be 0 or more")
    heads = more.get("heads", 1)
    if not 0 <= head < max(heads, 1):
        raise OptionError(f"head is {head}; heads is {heads}, and they are counted from 0")


@dataclass(frozen=True)
class _Pick:
    """Draws patterns at one moment, and takes one sample and head."""

    lengths: tuple[int, int | None]
    moment: dict[str, Any]
    sample: int
    head: int

    def __call__(self, shown: Pattern) -> BoolArray:
        with warnings.catch_warnings():  # of rows that see nothing: the picture marks them
            warnings.simplefilter("ignore", MaskplugWarning)
            masks = shown.dense(*self.lengths, **self.moment)
        return one(masks, self.sample, self.head)


def _limits(within: Pattern | None, more: dict[str, Any]) -> Iterator[tuple[str, Pattern]]:
    """What no visible cell may be beyond, with the words for it."""
    if within is not None:
        yield f"beyond {within}", within
    if "documents" in more and (more.get("attention_kind") != "cross" or "query_documents" in more):
        yield "across documents", Document()
    if "valid" in more:
        yield "to padding", Padding()


def _moments(
    shown: Pattern,
    other: Pattern | None,
    t: int,
    times: Sequence[int] | None,
    total: int | None,
    more: dict[str, Any],
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The caption and the arguments of each frame.

    Raises:
        OptionError: when the time is said twice, not well enough, or out of range.
    """
    if total is not None and total < 1:
        raise OptionError(f"total is {total}; it must be a whole number from 1 upwards")
    if "progress" in more and (total is not None or times is not None):
        raise OptionError("progress is the time by 'total', or a number: give one of them")
    if not 0.0 <= more.get("progress", 0.0) <= 1.0:
        raise OptionError(f"progress is {more['progress']!r}; it must be a number from 0 to 1")
    parts = [part for p in (shown, other) if p is not None for part in p.parts]
    scheduled = [part for part in parts if isinstance(part, Schedule)]
    if times is not None and total is None and scheduled:
        raise OptionError(
            f"M(t) follows the schedule {scheduled[0]!r}, which needs the length of training: "
            "give it as total (--total)"
        )
    if times is not None and (t or not times):
        raise OptionError("give 't' or 'times': one time or several")
    for time in (t,) if times is None else times:
        if time < 0 or (total is not None and time > total):
            last = "upwards" if total is None else f"to {total} (total)"
            raise OptionError(f"time is {time}; it must be a whole number from 0 {last}")
        moment = {"t": time, **more}
        caption = f"t = {time}"
        if total is not None:
            moment["progress"] = progress_at(time, total)
            caption += f" ({moment['progress']:.0%})"
        if times is not None:
            moment.setdefault("epoch", time)
        yield "" if times is None else caption, moment
