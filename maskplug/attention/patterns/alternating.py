"""Different patterns in different network layers."""

from __future__ import annotations

from dataclasses import dataclass

from maskplug.attention.call import AttentionCall
from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Combination, Pattern


@dataclass(frozen=True)
class Alternating(Combination):
    """Network layers use the ``patterns`` in turn: layer i uses pattern ``i % len(patterns)``.

    ModernBERT has full attention in every third layer, from the first on, and Gemma 3 in every
    sixth: ``Alternating((local,) * 5 + (Causal(),))``.

    Args:
        patterns: at least one. The annotations of all of them are needed.

    Source: Warner et al., "ModernBERT", 2024; Gemma team, "Gemma 3", 2025.

    Example:
        >>> import maskplug
        >>> turns = maskplug.pattern("alternating", patterns=["full", "window:left=1"])
        >>> turns.dense(3, layer_idx=0)[0, 0].astype(int)
        array([[1, 1, 1], [1, 1, 1], [1, 1, 1]])
        >>> turns.dense(3, layer_idx=1)[0, 0].astype(int)
        array([[1, 0, 0], [1, 1, 0], [0, 1, 1]])
    """

    reads_layer_idx = True

    patterns: tuple[Pattern, ...]

    def rows(self, call: AttentionCall) -> Intervals:
        return self.patterns[call.layer_idx % len(self.patterns)].visible(call)
