"""A prefix that everybody sees, and what comes behind it from left to right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Pattern
from maskplug.attention.site import AttentionCall
from maskplug.errors import TokenError
from maskplug.parts import Schedule
from maskplug.validation.options import check_whole


@dataclass(frozen=True)
class Prefix(Pattern):
    """A query sees the first ``length`` tokens, itself, and what came before: a prefix LM.

    The prefix sees itself in both directions. A length of 0 is causal; one that reaches the
    sample's end shows everything.

    With ``length=null`` it reads the layer ``prefix_lengths``: one number for each sample, from 0,
    of shape (batch,) or (batch, 1).

    Args:
        length: of the prefix in the sample's own tokens, from 0; or a schedule; null: a layer says
            it for each sample.

    Source: Raffel et al., "T5", 2020, section 3.2; Dong et al., "UniLM", 2019.

    Example:
        >>> Prefix(length=2).dense(4)[0, 0].astype(int)
        array([[1, 1, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1]])
    """

    length: Schedule | int | None = None

    def __post_init__(self) -> None:
        """Refuse negative numbers."""
        check_whole("length", self.length, least=0)

    @property
    def required_annotations(self) -> tuple[str, ...]:  # type: ignore[override]
        """The layer, unless a length is given."""
        return ("prefix_lengths",) if self.length is None else ()

    def rows(self, site: AttentionCall) -> Intervals:
        if self.length is None:
            lengths = site.per_sample("prefix_lengths", "prefix")[:, None, None]
            if (wrong := np.flatnonzero(lengths < 0)).size:
                raise TokenError(
                    f"the layer 'prefix_lengths' is {lengths.ravel()[wrong[0]]} in "
                    f"{site.called(wrong[0])}; it must be 0 or more"
                )
        else:
            lengths = site.value(self.length)
        return site.intervals((-site.starts[:, None, None], np.maximum(lengths, site.q + 1)))
