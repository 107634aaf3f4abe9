"""A pattern: who may see whom, as a function of the site and of nothing else.

True = may attend, everywhere.
"""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from maskplug import spec as specs
from maskplug.attention.intervals import Intervals
from maskplug.attention.rendered import Fallback, Rendered, check_fallback
from maskplug.attention.site import AttentionCall
from maskplug.errors import MaskplugWarning, OptionError, shortened
from maskplug.parts import Clock, Part, Schedule, parts_in
from maskplug.types import BoolArray


class Pattern(Rendered):
    """Who may see whom: M(t). Made by :func:`pattern`, and joined with ``&``, ``|`` and ``~``.

    The renderers share their arguments:

    - ``q_len``, ``kv_len``: how many queries and keys, padding included; as many keys as queries
      unless said otherwise.
    - ``t``: the training iteration, from 0; ``epoch`` from 0; ``progress`` from 0 (start of
      training) to 1 (its end), for schedules; with ``keys`` it may be an array, one a sample.
    - ``seed`` from 0 to 2**64 - 1, and ``keys``, one a sample (int, str or bytes), for patterns
      that draw; without keys all samples have the key 0.
    - ``heads``: how many, for patterns that draw for each; ``depth``: the model's layer, from 0.
    - ``offset``: how many tokens stand before the first query (decoding with a cache).
    - ``place``: "encoder" or "decoder" (self-attention), or "cross", where queries are the
      decoder's tokens and keys the encoder's.
    - ``fallback`` for queries that would see nothing: "self" lets them see themselves, "first" the
      sample's first token, "error" raises; without it they stay empty, with a warning.
    - all others are layers: ``valid`` (1 = real token, 0 = padding), ``documents``, …, of shape
      (batch, keys), or (keys,) for all samples, or a list with an entry for each sample where their
      lengths differ; ``maskplug list NAME`` says what a pattern reads.
    """

    kind = "pattern"

    @property
    def separates(self) -> bool:
        """Whether no query can see a key of another document: those of the layer ``documents``."""
        return False

    @abstractmethod
    def rows(self, site: AttentionCall) -> Intervals:
        """What every query sees at this site; what a pattern's author writes."""

    def __and__(self, other: Pattern) -> Pattern:
        """Keys that both patterns show."""
        from maskplug.attention.algebra import And

        return And((*_members(self, And), *_members(other, And)))

    def __or__(self, other: Pattern) -> Pattern:
        """Keys that one or the other pattern shows."""
        from maskplug.attention.algebra import Or

        return Or((*_members(self, Or), *_members(other, Or)))

    def __invert__(self) -> Pattern:
        """Keys that the pattern hides."""
        from maskplug.attention.algebra import Not

        return self.pattern if isinstance(self, Not) else Not(self)

    def at(self, site: AttentionCall, fallback: Fallback | None = None) -> Intervals:
        """What every query sees at this site, with the policy for queries that see nothing.

        Raises:
            OptionError: for an unknown fallback, "self" in cross attention, or, with "error", when
                a query that is no padding sees nothing.
            TokenError: when a layer is missing or does not fit.
        """
        check_fallback(fallback)
        if fallback == "self" and site.cross:
            raise OptionError("in cross attention no query can see itself; fallback='first'")
        rows = self.rows(site)
        empty = rows.counts == 0
        if not empty.any():
            return rows
        if fallback == "self" or fallback == "first":
            return rows | site.cells(empty, fallback, self.separates)
        if (lost := empty & site.valid_queries[:, None]).any():
            self._tell_of_empty(lost, fallback)
        return rows

    def _tell_of_empty(self, empty: BoolArray, fallback: Fallback | None) -> None:
        sample, _, query = (int(axis[0]) for axis in np.nonzero(empty))
        message = (
            f"pattern {self} hides every key from {int(empty.sum())} of {empty.size} queries (the "
            f"first: sample {sample}, query {query})"
        )
        if fallback == "error":
            raise OptionError(message)
        warnings.warn(
            f"{message}. What such a query gets depends on the back end: zeros, the mean of all "
            "values, or NaN. fallback='self' or 'first' lets it see one token, 'error' refuses it",
            MaskplugWarning,
            stacklevel=4,
        )

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The pattern itself, and every part among its options."""
        return tuple(parts_in(self))

    @property
    def clocks(self) -> tuple[Clock, ...]:
        """All clocks inside."""
        return tuple(part for part in self.parts if isinstance(part, Clock))

    @property
    def is_dynamic(self) -> bool:
        """Whether the mask changes during training: M(t) is not M(0)."""
        schedules = any(isinstance(part, Schedule) for part in self.parts)
        return schedules or not all(clock.is_static for clock in self.clocks)

    @property
    def all_required_annotations(self) -> tuple[str, ...]:
        """The names of all layers that it reads, those of its members included."""
        return tuple(
            dict.fromkeys(name for part in self.parts for name in part.required_annotations)
        )

    @property
    def spec(self) -> dict[str, Any]:
        """Name, version and every option, as plain JSON values: all that makes the pattern."""
        spec: dict[str, Any] = specs.canonical(self)
        return spec

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that stand for the spec."""
        return specs.fingerprint(self.spec)

    def __str__(self) -> str:
        from maskplug.attention.expression import written

        return written(self)


def _members(pattern: Pattern, kind: type) -> tuple[Pattern, ...]:
    """A pattern, or the members of an And or Or: a & b & c is one conjunction of three."""
    if not isinstance(pattern, Pattern):
        raise OptionError(f"patterns are joined with patterns, not with {shortened(pattern)}")
    return getattr(pattern, "patterns", ()) if isinstance(pattern, kind) else (pattern,)


def pattern(name: str | Mapping[str, Any] | Pattern, /, **options: Any) -> Pattern:
    """A pattern by name, by expression, or from a spec.

    Args:
        name: ``"window"``, ``"window@1"``, ``"distribution:window"``; an expression such as
            ``"window:left=4,right=0 & document | ~sink:n=2"``; or a ``Pattern.spec``.
        options: the options of a single name; ``maskplug list NAME`` explains them.

    Raises:
        UnknownNameError: when there is no such pattern; near names are suggested.
        OptionError: for an unknown or wrong option, or an expression that cannot be read.

    Example:
        >>> str(pattern("window", left=4) & pattern("document"))
        'window:left=4,right=0 & document'
        >>> pattern("window:left=4 & document") == pattern("window", left=4) & pattern("document")
        True
    """
    if options:
        if not isinstance(name, str):
            raise OptionError(
                f"{shortened(name)} is made already; options {sorted(options)} come too late"
            )
        if "name" in options:
            raise OptionError(f"pattern {name!r} has no option 'name'")
        name = {"name": name, **options}
    made: Pattern = specs.resolve("pattern", name)
    return made
