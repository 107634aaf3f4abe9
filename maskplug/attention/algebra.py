"""Patterns of patterns: both, one or the other, not."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import and_, or_

from maskplug.attention.documents import by_document
from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Pattern
from maskplug.attention.site import AttentionCall
from maskplug.validation.nesting import check_members, check_nesting


@dataclass(frozen=True)
class Joined(Pattern):
    """Several patterns; what becomes of them is up to the class."""

    patterns: tuple[Pattern, ...]

    def __post_init__(self) -> None:
        check_members("patterns", self.patterns)
        check_nesting(self)


@dataclass(frozen=True)
class And(Joined):
    """Keys that all ``patterns`` show; written ``a & b``.

    Joined with ``document``, patterns count in each document: first token, end, blocks, draws and
    all else are what they are where the document stands alone.

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
        return any(pattern.separates for pattern in self.patterns)

    def rows(self, site: AttentionCall) -> Intervals:
        if self.separates and len(self.patterns) > 1:
            return by_document(site, self._all)
        return self._all(site)

    def _all(self, site: AttentionCall) -> Intervals:
        return reduce(and_, (pattern.rows(site) for pattern in self.patterns))


@dataclass(frozen=True)
class Or(Joined):
    """Keys that at least one of the ``patterns`` shows; written ``a | b``.

    Args:
        patterns: at least one.

    Example:
        >>> import maskplug
        >>> maskplug.pattern("sink:n=1 | window:left=0,right=0").dense(3)[0, 0].astype(int)
        array([[1, 0, 0], [1, 1, 0], [1, 0, 1]])
    """

    @property
    def separates(self) -> bool:
        return all(pattern.separates for pattern in self.patterns)

    def rows(self, site: AttentionCall) -> Intervals:
        return reduce(or_, (pattern.rows(site) for pattern in self.patterns))


@dataclass(frozen=True)
class Not(Pattern):
    """Keys that the ``pattern`` hides; written ``~a``.

    Args:
        pattern: any; padding is not taken out by itself.

    Example:
        >>> import maskplug
        >>> (~maskplug.pattern("causal")).dense(3, fallback="self")[0, 0].astype(int)
        array([[0, 1, 1], [0, 0, 1], [0, 0, 1]])
    """

    pattern: Pattern

    def __post_init__(self) -> None:
        check_nesting(self)

    def rows(self, site: AttentionCall) -> Intervals:
        return ~self.pattern.rows(site)
