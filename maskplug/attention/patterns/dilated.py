"""A window with gaps."""

from __future__ import annotations

from dataclasses import dataclass

from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Pattern
from maskplug.attention.patterns.options import by_value
from maskplug.attention.site import AttentionCall
from maskplug.parts import Schedule
from maskplug.validation.options import check_whole


@dataclass(frozen=True)
class Dilated(Pattern):
    """A query sees itself, and every ``dilation``-th key on either side of it.

    Longformer's convention: ``left`` and ``right`` say how many keys are visible, and the farthest
    one is ``left * dilation`` places away. ``Dilated.attention_gym`` takes the distance instead.

    Args:
        left: how many keys before the query, from 0; null for all that there are. A schedule lets
            the window grow.
        right: how many keys behind the query, likewise.
        dilation: the distance from each visible key to the next, from 1 (a plain window); or a
            schedule.

    Source: Beltagy et al., "Longformer", 2020.

    Example:
        >>> Dilated(left=1, right=1, dilation=2).dense(4)[0, 0].astype(int)
        array([[1, 0, 1, 0], [0, 1, 0, 1], [1, 0, 1, 0], [0, 1, 0, 1]])
    """

    left: Schedule | int | None
    right: Schedule | int | None = 0
    dilation: Schedule | int = 2

    def __post_init__(self) -> None:
        """Refuse negative numbers, and steps of nothing."""
        check_whole("left", self.left, least=0)
        check_whole("right", self.right, least=0)
        check_whole("dilation", self.dilation, least=1)

    @classmethod
    def attention_gym(cls, window_size: int, dilation: int) -> Dilated:
        """The window of attention-gym's ``generate_dilated_sliding_window``.

        Args:
            window_size: the farthest key is so many places away, on either side.
            dilation: ``|q - k| <= window_size`` and ``|q - k| % dilation == 0``.

        Example:
            >>> Dilated.attention_gym(window_size=5, dilation=2)
            Dilated(left=2, right=2, dilation=2)
        """
        check_whole("window_size", window_size, least=0)
        check_whole("dilation", dilation, least=1)
        each = window_size // dilation
        return cls(left=each, right=each, dilation=dilation)

    def rows(self, site: AttentionCall) -> Intervals:
        return by_value(site, self.dilation, lambda dilation: self._stepped(site, dilation))

    def _stepped(self, site: AttentionCall, step: int) -> Intervals:
        q = site.q
        first = -site.kv_len if self.left is None else q - site.value(self.left) * step
        last = site.kv_len if self.right is None else q + site.value(self.right) * step
        # Steps are counted among all keys, not in the sample's own tokens.
        return site.intervals((first, last + 1)).every(step, q + site.starts[:, None, None])
