"""The rows that are masked, and the rows that the model is shown.

They differ where features were padded before: padding at their ends is taken off, so that no
strategy sees it, and put back where the tokens kept their places.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from maskplug.errors import TokenError
from maskplug.ragged import Ragged
from maskplug.targets.labels import in_place
from maskplug.tokens import TokenBatch
from maskplug.types import BoolArray, IntArray, lengths_of


@dataclass(frozen=True, eq=False)
class Given:
    """What came in.

    Attributes:
        tokens: what is masked, without padding at the ends.
        ids, offsets: the features' own rows, with it.
        inner: which of these are no such padding; None: none is.
        hidden: which of ``tokens`` the attention mask hides all the same; None: none.
    """

    tokens: TokenBatch
    ids: IntArray
    offsets: IntArray
    inner: BoolArray | None = None
    hidden: BoolArray | None = None

    @property
    def lengths(self) -> IntArray:
        """The lengths of the features' own rows."""
        return lengths_of(self.offsets)


def inner_tokens(hidden: BoolArray, offsets: IntArray) -> BoolArray:
    """Which tokens are not hidden, or stand between two of their row that are not.

    Example:
        >>> inner_tokens(np.array([True, False, True, False, True]), np.array([0, 5])).tolist()
        [False, True, True, True, False]
    """
    seen = np.concatenate(([0], np.cumsum(~hidden)))
    before, after = seen[offsets[:-1]], seen[offsets[1:]]
    lengths = lengths_of(offsets)
    begun = seen[1:] > np.repeat(before, lengths)
    return np.asarray(begun & (seen[:-1] < np.repeat(after, lengths)))


@dataclass(frozen=True, eq=False)
class Shown:
    """What goes out: arrays that are aligned with the masked inputs, or with the features.

    Args:
        given: what came in.
        inputs: what a strategy made of ``given.tokens``.
        with_padding: whether the features' own padding is shown again where tokens kept their
            places.
    """

    given: Given
    inputs: Ragged
    with_padding: bool = True

    @cached_property
    def in_place(self) -> bool:
        """Whether every token kept its place."""
        return in_place(self.inputs, self.given.tokens)

    @property
    def _padded(self) -> BoolArray | None:
        inner = self.given.inner
        shown = inner is not None and self.with_padding and self.in_place
        return inner if shown else None

    @property
    def offsets(self) -> IntArray:
        """The offsets of the rows that are shown."""
        return self.inputs.offsets if self._padded is None else self.given.offsets

    @property
    def lengths(self) -> IntArray:
        """The lengths of the rows that are shown."""
        return self.inputs.lengths if self._padded is None else self.given.lengths

    @property
    def ids(self) -> Ragged:
        """The masked inputs, with the features' own padding where it is shown."""
        inner = self._padded
        if inner is None:
            return self.inputs
        ids = self.given.ids.copy()
        ids[inner] = self.inputs.values
        return Ragged(ids, self.offsets)

    def rows(self, values: np.ndarray[Any, Any], fill: float) -> Ragged:
        """Rows of one value for each masked input; ``fill`` stands at the features' padding."""
        inner = self._padded
        if inner is None:
            return Ragged(values, self.offsets)
        spread = np.full(len(inner), fill, values.dtype)
        spread[inner] = values
        return Ragged(spread, self.offsets)

    def followed(self, values: Any, name: str, fill: int | None = None) -> Ragged:
        """Rows of a column's values, each of which follows its token.

        Args:
            values: one for each token of the features' own rows.
            name: of the column, for messages.
            fill: what new tokens get; None: what their left neighbour has, or at the beginning of
                a row their right one.
        """
        if self._padded is not None:
            return Ragged(values, self.offsets)
        inner = self.given.inner
        values = values if inner is None else values[inner]
        return Ragged(self._moved(values, name, fill), self.offsets)

    def check_unmoved(self, name: str, values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """A column that stays as it is: values of shape (samples, …), which are returned.

        Raises:
            TokenError: when it has one value for each token, and the strategy moved tokens.
        """
        aligned = values.ndim > 1 and bool((self.given.lengths == values.shape[1]).all())
        if aligned and not self.in_place:
            raise TokenError(
                f"column {name!r} has one value for each token, and the strategy moves tokens: "
                "drop the column, or choose a strategy that keeps tokens in place"
            )
        return values

    @property
    def seen(self) -> Ragged | None:
        """1 for each shown token that the attention mask lets see, else 0; None: all are."""
        hidden = self.given.hidden
        if hidden is None and self._padded is None:
            return None
        if hidden is None:
            return self.rows(np.ones(len(self.inputs.values), np.int64), 0)
        seen = self._moved((~hidden).astype(np.int64), "attention_mask", fill=1)
        return self.rows(seen, 0)

    def _moved(self, values: Any, name: str, fill: int | None) -> Any:
        """Values of the masked tokens as values of the inputs that were made of them."""
        if self.in_place:
            return values
        sources = self.inputs.sources
        if sources is None:
            raise TokenError(
                f"column {name!r} has one value for each original token, and the strategy changed "
                "their number and does not tell the sources of its inputs; drop the column, and "
                "give rows without padding"
            )
        if fill is None:
            sources = _neighbours(sources, self.inputs.offsets)
        new = sources < 0
        if not len(values):
            return np.full(len(sources), fill or 0, np.asarray(values).dtype)
        return np.where(new, fill or 0, values[sources])


def _neighbours(sources: IntArray, offsets: IntArray) -> IntArray:
    """Sources in which new tokens have that of their left neighbour, or else of their right one."""
    places = np.arange(len(sources))
    rows = np.repeat(np.arange(len(offsets) - 1), lengths_of(offsets))
    old = sources >= 0
    left = np.maximum.accumulate(np.where(old, places, -1))
    right = np.minimum.accumulate(np.where(old, places, len(places))[::-1])[::-1]
    place = np.where(left >= offsets[:-1][rows], left, right)
    alone = place >= offsets[1:][rows]  # a row of new tokens only
    return np.where(alone, -1, sources[np.where(alone, 0, place)])
