"""A window that slides along with the query."""

from __future__ import annotations

from dataclasses import dataclass

from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Pattern
from maskplug.attention.patterns.options import check_whole
from maskplug.attention.site import Site
from maskplug.parts import Schedule


@dataclass(frozen=True)
class Window(Pattern):
    """A query sees itself, ``left`` keys before it and ``right`` keys behind it.

    Libraries count windows in different ways; ``Window.attention_gym``, ``Window.huggingface`` and
    ``Window.longformer`` take theirs.

    Args:
        left: how many keys before the query, from 0; null for all of them. A schedule lets the
            window grow: ``window(left=linear(64, 512))``.
        right: how many keys behind the query, likewise.

    Source: Beltagy et al., "Longformer", 2020; Jiang et al., "Mistral 7B", 2023.

    Example:
        >>> Window(left=1).dense(3)[0, 0].astype(int)
        array([[1, 0, 0], [1, 1, 0], [0, 1, 1]])
    """

    left: Schedule | int | None
    right: Schedule | int | None = 0

    def __post_init__(self) -> None:
        """Refuse negative numbers."""
        check_whole("left", self.left, least=0)
        check_whole("right", self.right, least=0)

    def rows(self, site: Site) -> Intervals:
        q = site.q
        first = -site.keys if self.left is None else q - site.value(self.left)
        last = site.keys if self.right is None else q + site.value(self.right)
        return site.intervals((first, last + 1))
