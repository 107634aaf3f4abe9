"""A prefix language model: bidirectional in the prefix, causal after it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.attention.call import AttentionCall
from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Pattern
from maskplug.errors import TokenError
from maskplug.parts import Schedule
from maskplug.validation.options import check_whole


@dataclass(frozen=True)
class Prefix(Pattern):
    """A query attends to the first ``length`` tokens, to itself, and to all tokens before it.

    Attention within the prefix is bidirectional. A length of 0 gives a causal mask; a length up to
    the sample's end gives a full one.

    With ``length=null`` it needs the annotation ``prefix_lengths``: one number per sample, from 0,
    of shape (batch,) or (batch, 1).

    Args:
        length: of the prefix, in the sample's own tokens, from 0; or a schedule; null: use the
            annotation.

    Source: Raffel et al., "T5", 2020, section 3.2; Dong et al., "UniLM", 2019.

    Example:
        >>> Prefix(length=2).dense(4)[0, 0].astype(int)
        array([[1, 1, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1]])
    """

    length: Schedule | int | None = None

    def __post_init__(self) -> None:
        check_whole("length", self.length, least=0)

    @property
    def required_annotations(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("prefix_lengths",) if self.length is None else ()

    def rows(self, call: AttentionCall) -> Intervals:
        if self.length is None:
            lengths = call.per_sample("prefix_lengths", "prefix")[:, None, None]
            if (wrong := np.flatnonzero(lengths < 0)).size:
                raise TokenError(
                    f"annotation 'prefix_lengths' of {call.name_of(wrong[0])} is "
                    f"{lengths.ravel()[wrong[0]]}; it must be 0 or more"
                )
        else:
            lengths = call.value(self.length)
        return call.intervals((-call.starts[:, None, None], np.maximum(lengths, call.q + 1)))
