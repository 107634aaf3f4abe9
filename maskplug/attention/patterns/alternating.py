"""Layers of a model that take turns."""

from __future__ import annotations

from dataclasses import dataclass

from maskplug.attention.algebra import Joined
from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Pattern
from maskplug.attention.site import AttentionCall


@dataclass(frozen=True)
class Alternating(Joined):
    """The model's layers use the ``patterns`` in turn: layer ``depth`` the one at ``depth % n``.

    ModernBERT sees everything in every third layer, from the first on, and Gemma 3 in every sixth:
    ``Alternating((local,) * 5 + (Causal(),))``.

    Args:
        patterns: at least one. The layers of a batch that any of them reads are needed.

    Source: Warner et al., "ModernBERT", 2024; Gemma team, "Gemma 3", 2025.

    Example:
        >>> import maskplug
        >>> turns = maskplug.pattern("alternating", patterns=["full", "window:left=1"])
        >>> turns.dense(3, depth=0)[0, 0].astype(int)
        array([[1, 1, 1], [1, 1, 1], [1, 1, 1]])
        >>> turns.dense(3, depth=1)[0, 0].astype(int)
        array([[1, 0, 0], [1, 1, 0], [0, 1, 1]])
    """

    patterns: tuple[Pattern, ...]

    @property
    def separates(self) -> bool:
        return all(pattern.separates for pattern in self.patterns)

    def rows(self, site: AttentionCall) -> Intervals:
        return self.patterns[site.layer_idx % len(self.patterns)].rows(site)
