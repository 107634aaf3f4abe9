"""Attention mask patterns, and their combination with ``&``, ``|`` and ``~``.

True = may attend, everywhere.
"""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import and_, or_
from typing import Any

from maskplug import spec as specs
from maskplug.attention.call import AttentionCall
from maskplug.attention.documents import by_document
from maskplug.attention.expression import to_text
from maskplug.attention.fallback import Fallback, check_fallback, count_empty_rows, fill_empty_rows
from maskplug.attention.intervals import Intervals
from maskplug.attention.rendered import Rendered
from maskplug.errors import MaskplugError, MaskplugWarning, OptionError, shortened
from maskplug.parts import Clock, Part, Schedule, parts_in
from maskplug.validation.nesting import check_members, check_nesting


class Pattern(Rendered):
    """An attention mask M(t), built by :func:`pattern` and combined with ``&``, ``|`` and ``~``.

    The renderers share these arguments:

    - ``q_len``, ``kv_len``: number of queries and keys, padding included; ``kv_len`` defaults to
      ``offset + q_len``.
    - ``t``: training iteration, from 0; ``epoch``, from 0; ``progress``: from 0 (start of training)
      to 1 (end), for schedules, or one value per sample if ``keys`` are given.
    - ``seed``: from 0 to 2**64 - 1; ``keys``: sample keys (int, str or bytes) for patterns that
      draw random numbers. Without keys, all samples have the key 0.
    - ``heads``: number of heads, for patterns with a mask per head; ``layer_idx``: index of the
      network layer, from 0.
    - ``offset``: number of tokens before the first query (decoding with a cache).
    - ``attention_kind``: "encoder" or "decoder" (self-attention), or "cross", where queries are the
      decoder's tokens and keys the encoder's.
    - ``fallback``: what queries without a visible key attend to: "self" = their own token, "first"
      = the sample's first token; "error" raises. By default they stay empty, with a warning.
    - all others are annotations: ``valid`` (1 = real token, 0 = padding), ``documents``, …, of
      shape (batch, kv_len), or (kv_len,) for all samples, or a list with one entry per sample if
      lengths differ. ``maskplug list NAME`` documents those that a pattern needs.
    """

    kind = "pattern"
    #: Whether ``rows`` reads the call's ``layer_idx``. A pattern that does not declare it has the
    #: mask of layer 0 in all layers.
    reads_layer_idx: bool = False

    @property
    def separates(self) -> bool:
        """Whether no query can attend to another document of the annotation ``documents``."""
        return False

    @abstractmethod
    def rows(self, call: AttentionCall) -> Intervals:
        """Return the visible keys of every query; this method defines a pattern."""

    def visible(self, call: AttentionCall) -> Intervals:
        """Return ``rows``, in layer 0 if neither pattern nor members declare `reads_layer_idx`."""
        return self.rows(call if self.uses_layer_idx else call.in_first_layer)

    def __and__(self, other: Pattern) -> Pattern:
        """Return the keys that are visible in both patterns."""
        return And((*_members(self, And), *_members(other, And)))

    def __or__(self, other: Pattern) -> Pattern:
        """Return the keys that are visible in at least one of the patterns."""
        return Or((*_members(self, Or), *_members(other, Or)))

    def __invert__(self) -> Pattern:
        """Return the keys that are hidden in the pattern."""
        return self.pattern if isinstance(self, Not) else Not(self)

    def at(self, call: AttentionCall, fallback: Fallback | None = None) -> Intervals:
        """Return the visible keys of every query, with a rule for queries without any.

        Raises:
            OptionError: for an unknown fallback; for "self" in cross attention; with "error", if a
                query that is not padding has no visible key.
            TokenError: if an annotation is missing, or has the wrong shape.
        """
        check_fallback(fallback)
        if fallback == "self" and call.cross:
            raise OptionError(
                "fallback='self' is not possible in cross attention; use fallback='first'"
            )
        rows = self.visible(call)
        empty = rows.counts == 0
        if not empty.any():
            return rows
        if fallback == "self" or fallback == "first":
            return fill_empty_rows(rows, call, empty, fallback, self.separates)
        if (lost := empty & call.valid_queries[:, None]).any():
            message = f"pattern {self} hides every key from {count_empty_rows(lost)}"
            if fallback == "error":
                raise OptionError(message)
            warnings.warn(
                f"{message}. Backends return zeros, the mean of all values, or NaN for such a "
                "query; fallback='self' or 'first' gives it one key, 'error' refuses it",
                MaskplugWarning,
                stacklevel=4,
            )
        return rows

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The pattern itself, and all parts among its options."""
        return tuple(parts_in(self))

    @property
    def clocks(self) -> tuple[Clock, ...]:
        """All clocks among the parts."""
        return tuple(part for part in self.parts if isinstance(part, Clock))

    @property
    def is_dynamic(self) -> bool:
        """Whether the mask changes during training: M(t) is not M(0)."""
        schedules = any(isinstance(part, Schedule) for part in self.parts)
        return schedules or not all(clock.is_static for clock in self.clocks)

    @cached_property
    def uses_layer_idx(self) -> bool:
        """Whether network layers may have different masks, because of any pattern inside."""
        return any(part.reads_layer_idx for part in self.parts if isinstance(part, Pattern))

    @property
    def all_required_annotations(self) -> tuple[str, ...]:
        """The names of all annotations that the pattern and its members need."""
        return tuple(
            dict.fromkeys(name for part in self.parts for name in part.required_annotations)
        )

    @property
    def spec(self) -> dict[str, Any]:
        """Name, version and every option, as plain JSON values."""
        spec: dict[str, Any] = specs.canonical(self)
        return spec

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits, a hash of the spec."""
        return specs.fingerprint(self.spec)

    def __str__(self) -> str:
        return to_text(self)

    def _repr_svg_(self) -> str | None:
        """Return a picture for notebooks; None, for text, if the pattern needs annotations."""
        from maskplug.viz.frame import Frame
        from maskplug.viz.picture import Picture

        times: list[dict[str, Any]] = [{}]
        if self.is_dynamic:
            scheduled = any(isinstance(part, Schedule) for part in self.parts)
            last = 100 if scheduled else 2
            times = [{"t": t, "epoch": t, "progress": t / last} for t in (0, last // 2, last)]
        for attention_kind in ("encoder", "decoder", "cross"):
            try:
                with warnings.catch_warnings():  # the picture shows empty rows
                    warnings.simplefilter("ignore", MaskplugWarning)
                    masks = [self.dense(24, attention_kind=attention_kind, **at) for at in times]
            except MaskplugError:
                continue
            captions = [f"t = {at['t']}" if at else "" for at in times]
            shown = zip(masks, captions, strict=True)
            frames = tuple(Frame(mask[0, 0], caption=caption) for mask, caption in shown)
            return Picture(frames, title=str(self))._repr_svg_()
        return None


@dataclass(frozen=True)
class Combination(Pattern):
    """A pattern made of several others, its ``patterns``."""

    patterns: tuple[Pattern, ...]

    def __post_init__(self) -> None:
        check_members("patterns", self.patterns)
        check_nesting(self)

    @property
    def separates(self) -> bool:
        """Whether no query can attend to another document."""
        return all(pattern.separates for pattern in self.patterns)


@dataclass(frozen=True)
class And(Combination):
    """Keys that are visible in all ``patterns``; written ``a & b``.

    With ``document`` among them, patterns are computed per document: first token, end, blocks and
    random numbers are those of the document in a row of its own.

    Args:
        patterns: at least one.

    Example:
        >>> import maskplug
        >>> both = maskplug.pattern("causal & window:left=1,right=1")
        >>> both.dense(3)[0, 0].astype(int)
        array([[1, 0, 0], [1, 1, 0], [0, 1, 1]])
    """

    @property
    def separates(self) -> bool:
        """Whether no query can attend to another document."""
        return any(pattern.separates for pattern in self.patterns)

    def rows(self, call: AttentionCall) -> Intervals:
        """Return the visible keys of every query."""
        if self.separates and len(self.patterns) > 1:
            return by_document(call, self._all)
        return self._all(call)

    def _all(self, call: AttentionCall) -> Intervals:
        return reduce(and_, (pattern.visible(call) for pattern in self.patterns))


@dataclass(frozen=True)
class Or(Combination):
    """Keys that are visible in at least one of the ``patterns``; written ``a | b``.

    Args:
        patterns: at least one.

    Example:
        >>> import maskplug
        >>> maskplug.pattern("sink:n=1 | window:left=0,right=0").dense(3)[0, 0].astype(int)
        array([[1, 0, 0], [1, 1, 0], [1, 0, 1]])
    """

    def rows(self, call: AttentionCall) -> Intervals:
        """Return the visible keys of every query."""
        return reduce(or_, (pattern.visible(call) for pattern in self.patterns))


@dataclass(frozen=True)
class Not(Pattern):
    """Keys that are hidden in the ``pattern``; written ``~a``.

    Args:
        pattern: any pattern; padding is not excluded.

    Example:
        >>> import maskplug
        >>> (~maskplug.pattern("causal")).dense(3, fallback="self")[0, 0].astype(int)
        array([[0, 1, 1], [0, 0, 1], [0, 0, 1]])
    """

    pattern: Pattern

    def __post_init__(self) -> None:
        check_nesting(self)

    def rows(self, call: AttentionCall) -> Intervals:
        """Return the visible keys of every query."""
        return ~self.pattern.visible(call)


def _members(pattern: Pattern, kind: type) -> tuple[Pattern, ...]:
    """Return a pattern, or the members of an And or Or: ``a & b & c`` has three members."""
    if not isinstance(pattern, Pattern):
        raise OptionError(
            f"patterns can only be combined with patterns, not with {shortened(pattern)}"
        )
    return getattr(pattern, "patterns", ()) if isinstance(pattern, kind) else (pattern,)


def pattern(name: str | Mapping[str, Any] | Pattern, /, **options: Any) -> Pattern:
    """Return a pattern by name, from an expression, or from a spec.

    Args:
        name: ``"window"``, ``"window@1"``, ``"distribution:window"``; an expression such as
            ``"window(left=4) & document | ~sink(n=2)"`` or ``"window:left=4 & document"``; or a
            ``Pattern.spec``.
        options: options of a single name; see ``maskplug list NAME``.

    Raises:
        UnknownNameError: if there is no such pattern, with similar names.
        OptionError: for an unknown option or a wrong value, or an invalid expression.

    Example:
        >>> str(pattern("window", left=4) & pattern("document"))
        'window:left=4,right=0 & document'
        >>> pattern("window:left=4 & document") == pattern("window", left=4) & pattern("document")
        True
    """
    if options:
        if not isinstance(name, str):
            raise OptionError(
                f"cannot pass options {sorted(options)} together with the built pattern "
                f"{shortened(name)}"
            )
        if "name" in options:
            raise OptionError(f"pattern {name!r} has no option 'name'")
        name = {"name": name, **options}
    built: Pattern = specs.resolve("pattern", name)
    return built
