"""Where the masked inputs of a batch stand, relative to the tokens of its samples.

Padding at the ends of rows is removed before masking, and put back where all tokens kept their
positions.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from maskplug.errors import TokenError
from maskplug.ragged import Ragged
from maskplug.targets.labels import in_place
from maskplug.types import BoolArray, IntArray, lengths_of
from maskplug_torch.features import Features


class OutputLayout:
    """The rows that the model receives, and how values of tokens move to them.

    Args:
        features: the parsed samples.
        inputs: what a strategy made of ``features.tokens``.
        keep_padding: whether to put the samples' own padding back.
    """

    def __init__(self, features: Features, inputs: Ragged, keep_padding: bool = True) -> None:
        self.features = features
        self.inputs = inputs
        #: Which tokens of the rows are masked inputs; None: all.
        self.inner: BoolArray | None = None
        self.offsets = inputs.offsets
        if features.inner is not None and keep_padding and self.in_place:
            self.inner, self.offsets = features.inner, features.offsets
        self.lengths: IntArray = lengths_of(self.offsets)

    @cached_property
    def in_place(self) -> bool:
        """Whether every token kept its position."""
        return in_place(self.inputs, self.features.tokens)

    def ids(self) -> Ragged:
        """Return the masked inputs, with the samples' own padding where it is kept."""
        if self.inner is None:
            return self.inputs
        ids = self.features.ids.copy()
        ids[self.inner] = self.inputs.values
        return Ragged(ids, self.offsets)

    def rows(self, values: np.ndarray[Any, Any], fill: float) -> Ragged:
        """Return rows of one value per masked input; ``fill`` at the samples' own padding."""
        if self.inner is None:
            return Ragged(values, self.offsets)
        filled = np.full(len(self.inner), fill, values.dtype)
        filled[self.inner] = values
        return Ragged(filled, self.offsets)

    def rows_of_column(self, values: Any, name: str, fill: int | None = None) -> Ragged:
        """Return rows of a column's values, one per token of the samples, which move with them.

        ``fill`` is the value of new tokens; by default that of the left, or else right neighbor.
        """
        if self.inner is not None:
            return Ragged(values, self.offsets)
        inner = self.features.inner
        return Ragged(
            self._moved(values if inner is None else values[inner], name, fill), self.offsets
        )

    def check_not_per_token(self, name: str, values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Return a column of shape (samples, …); refuse values per token if tokens were moved."""
        per_token = values.ndim > 1 and bool((self.features.lengths == values.shape[1]).all())
        if per_token and not self.in_place:
            raise TokenError(
                f"column {name!r} has one value for each token, and the strategy moves tokens: "
                "drop the column, or choose a strategy that keeps tokens in place"
            )
        return values

    def visible(self) -> Ragged | None:
        """Return 1 for each token that the model may attend to, else 0; None: 1 everywhere."""
        hidden = self.features.hidden
        if hidden is not None:
            visible = self._moved((~hidden).astype(np.int64), "attention_mask", fill=1)
        elif self.inner is not None:
            visible = np.ones(len(self.inputs.values), np.int64)
        else:
            return None
        return self.rows(visible, 0)

    def _moved(self, values: Any, name: str, fill: int | None) -> Any:
        """Move values of the masked tokens to the inputs that were made of them."""
        if self.in_place:
            return values
        sources = self.inputs.sources
        if sources is None:
            raise TokenError(
                f"column {name!r} has one value for each original token, and the strategy changed "
                "their number without returning the sources of its inputs; drop the column, and "
                "pass rows without padding"
            )
        if fill is None:
            sources = _neighbors(sources, self.inputs.offsets)
        if not len(values):
            return np.full(len(sources), fill or 0, np.asarray(values).dtype)
        return np.where(sources < 0, fill or 0, values[sources])


def _neighbors(sources: IntArray, offsets: IntArray) -> IntArray:
    """Replace the sources of new tokens by that of the left neighbor, or else the right one."""
    positions = np.arange(len(sources))
    rows = np.repeat(np.arange(len(offsets) - 1), lengths_of(offsets))
    old = sources >= 0
    left = np.maximum.accumulate(np.where(old, positions, -1))
    right = np.minimum.accumulate(np.where(old, positions, len(positions))[::-1])[::-1]
    neighbor = np.where(left >= offsets[:-1][rows], left, right)
    alone = neighbor >= offsets[1:][rows]  # a row of new tokens only
    return np.where(alone, -1, sources[np.where(alone, 0, neighbor)])
