"""Pictures of patterns: M(t) at one or several times, differences, and leaks."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from maskplug.attention.call import AttentionCall
from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Pattern
from maskplug.attention.pattern import pattern as build
from maskplug.attention.patterns.basic import Padding
from maskplug.attention.patterns.document import Document
from maskplug.errors import MaskplugWarning, OptionError
from maskplug.parts import Schedule
from maskplug.schedule import progress_at
from maskplug.types import BoolArray
from maskplug.validation.options import bounds
from maskplug.viz.frame import Frame
from maskplug.viz.picture import Picture, select

#: Maximum number of cells; a larger picture needs too much memory.
CELLS = 1 << 26
#: Options that are a number of tokens after which a pattern repeats.
PERIODS = ("block", "size", "stride")


@dataclass(frozen=True)
class _RealQueries(Pattern):
    """Queries that are not padding attend to one key, others to none."""

    def rows(self, call: AttentionCall) -> Intervals:
        return call.intervals((0, call.valid_queries[:, None]))


def picture(
    pattern: Pattern,
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
    """Return a picture of one sample and head for a terminal, a notebook or a file.

    Args:
        pattern: the pattern.
        q_len, kv_len, t, more: see :class:`maskplug.Pattern`.
        sample, head: which to show, from 0.
        block: size of the blocks to outline.
        times: several times to show side by side; each is the step, and the epoch unless ``epoch``
            is given.
        total: number of steps of the training, for schedules; the last one has progress 1.
        compare: a pattern; the picture shows the difference.
        within: a pattern; visible cells that it hides are leaks. With the annotations ``documents``
            and ``valid``, so are cells across documents and cells of padding.
        queries, key_texts: texts of the axes.

    Raises:
        MaskplugError: if lengths, annotations and options do not fit together.

    Example:
        >>> import maskplug
        >>> print(picture(maskplug.pattern("causal"), 3))
        causal
           0 1 2
         0 ██· ·
         1 ████·
         2 ██████
        visible: 66.7% (6 of 9 cells)
        empty rows: 0
        ██ visible  · hidden
    """
    kv = q_len if kv_len is None else kv_len
    if min(q_len, kv) < 1 or q_len * kv > CELLS:
        raise OptionError(
            f"a picture of {q_len} queries and {kv} keys; it must have from 1 to {CELLS:,} cells"
        )
    heads = more.get("heads", 1)
    if not 0 <= head < max(heads, 1):
        raise OptionError(f"head is {head}; heads is {heads}, and they are counted from 0")
    if compare is not None and within is not None:
        raise OptionError("'compare' and 'within' cannot be combined; give one of them")
    other = None if compare is None else build(compare)
    limits = {} if other else dict(_limits(None if within is None else build(within), more))

    def mask(shown: Pattern, arguments: dict[str, Any]) -> BoolArray:
        with warnings.catch_warnings():  # the picture shows empty rows
            warnings.simplefilter("ignore", MaskplugWarning)
            return select(shown.dense(q_len, kv_len, **arguments), sample, head)

    frames = []
    patterns = [pattern] if other is None else [pattern, other]
    for caption, arguments in _times(patterns, t, times, total, more):
        visible = mask(pattern, arguments)
        real = np.asarray(mask(_RealQueries(), {**arguments, "fallback": None}).any(1))
        hidden = [~mask(limit, arguments) for limit in limits.values()]
        leaks = visible & real[:, None] & np.logical_or.reduce(hidden) if hidden else None
        second = None if other is None else mask(other, arguments)
        frames.append(Frame(visible, second, leaks, real, caption))
    keys = visible.shape[1]
    if key_texts is None and more.get("attention_kind") != "cross" and keys == q_len:
        key_texts = queries
    return Picture(
        tuple(frames),
        title=str(pattern) if other is None else f"A = {pattern}\nB = {other}",
        bounds=", ".join(limits),
        block=block,
        queries=queries,
        keys=key_texts,
        notes=tuple(_notes(pattern, keys)),
    )


def _limits(within: Pattern | None, more: dict[str, Any]) -> Iterator[tuple[str, Pattern]]:
    """Yield patterns outside of which visible cells are leaks, with a description."""
    if within is not None:
        yield f"beyond {within}", within
    if "documents" in more and (more.get("attention_kind") != "cross" or "query_documents" in more):
        yield "across documents", Document()
    if "valid" in more:
        yield "to padding", Padding()


def _notes(pattern: Pattern, keys: int) -> Iterator[str]:
    """Yield a note for options that do not show because the picture is too short."""
    for part in pattern.parts:
        for name in PERIODS:
            value = getattr(part, name, None) if isinstance(part, Pattern) else None
            if isinstance(value, int | Schedule) and bounds(value)[0] >= keys:
                yield (
                    f"note: option '{name}' of {type(part).__name__} is at least the "
                    f"length of this picture, {keys} keys; a longer one shows its effect"
                )


def _times(
    patterns: list[Pattern],
    t: int,
    times: Sequence[int] | None,
    total: int | None,
    more: dict[str, Any],
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the caption and the arguments of each frame.

    Raises:
        OptionError: if the time is given twice, incompletely, or out of range.
    """
    if total is not None and total < 1:
        raise OptionError(f"total is {total}; it must be a whole number from 1 upwards")
    if "progress" in more and (total is not None or times is not None):
        raise OptionError("'progress' and 'total' both set the progress; give one of them")
    if not 0.0 <= more.get("progress", 0.0) <= 1.0:
        raise OptionError(f"progress is {more['progress']!r}; it must be a number from 0 to 1")
    schedules = [part for p in patterns for part in p.parts if isinstance(part, Schedule)]
    if times is not None and total is None and schedules:
        raise OptionError(
            f"M(t) depends on the schedule {schedules[0]!r}, which needs the length of training: "
            "give it as total (--total)"
        )
    if times is not None and (t or not times):
        raise OptionError("give 't' or 'times': one time or several")
    for time in (t,) if times is None else times:
        if time < 0 or (total is not None and time > total):
            last = "upwards" if total is None else f"to {total} (total)"
            raise OptionError(f"time is {time}; it must be a whole number from 0 {last}")
        arguments = {"t": time, **more}
        caption = f"t = {time}"
        if total is not None:
            arguments["progress"] = progress_at(time, total)
            caption += f" ({arguments['progress']:.0%})"
        if times is not None:
            arguments.setdefault("epoch", time)
        yield "" if times is None else caption, arguments
