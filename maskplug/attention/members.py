"""The tokens of every document of packed rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from maskplug.types import BoolArray, IntArray, readonly


@dataclass(frozen=True, eq=False)
class Members:
    """The tokens of every document, of the keys or of the queries.

    Attributes:
        documents: int64 of shape (batch, tokens), the document of each token.
        offsets, places: document d holds ``places[offsets[d]:offsets[d + 1]]`` of its row's tokens.
        ranks: int64 of shape (batch, tokens), the place of each token in its document.
        first, end: each document's first real token and the end of its last one, by rank.
    """

    documents: IntArray
    offsets: IntArray
    places: IntArray
    ranks: IntArray
    first: IntArray
    end: IntArray

    @classmethod
    def of(cls, documents: IntArray, real: BoolArray, number: int) -> Members:
        """The members of this number of documents; ``real`` is False for padding."""
        from maskplug.kernels.numbered import members

        return cls(documents, *members(documents, readonly(real, np.bool_), number))

    @property
    def counts(self) -> IntArray:
        """How many tokens each document has, padding among them."""
        return np.diff(self.offsets)

    @cached_property
    def first_places(self) -> IntArray:
        """Where in its row each document's first real token stands; 0 for one without tokens."""
        index = np.where(self.counts > 0, self.offsets[:-1] + self.first, 0)
        return self.places[index] if self.places.size else index

    def before(self, token: int) -> IntArray:
        """How many tokens of each document stand before this one of the row."""
        return np.bincount(self.documents[:, :token].ravel(), minlength=len(self.first))

    def index(self, chosen: IntArray, start: int, end: int) -> tuple[IntArray, BoolArray]:
        """Where tokens of some documents stand in their rows, and which of them there are.

        Args:
            chosen: the documents, (n,).
            start, end: their tokens, by rank.

        Returns:
            Two arrays of shape (n, end - start); a token that is missing stands at 0.
        """
        ranks = np.arange(start, end)
        there = ranks < self.counts[chosen][:, None]
        index = np.where(there, self.offsets[chosen][:, None] + ranks, 0)
        return (self.places[index] if self.places.size else index), there
