"""The tokens of each document of packed rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from maskplug.types import BoolArray, IntArray, readonly


@dataclass(frozen=True, eq=False)
class Members:
    """The tokens of each document, among the keys or the queries.

    Attributes:
        documents: int64 of shape (batch, tokens), the document of each token.
        offsets, places: the tokens of document d are ``places[offsets[d]:offsets[d + 1]]`` in its
            row.
        ranks: int64 of shape (batch, tokens), the index of each token in its document.
        first, end: rank of each document's first real token, and end of its last one.
    """

    documents: IntArray
    offsets: IntArray
    places: IntArray
    ranks: IntArray
    first: IntArray
    end: IntArray

    @classmethod
    def of(cls, documents: IntArray, real: BoolArray, number: int) -> Members:
        """Return the tokens of ``number`` documents; ``real`` is False for padding."""
        from maskplug.kernels.numbered import members

        return cls(documents, *members(documents, readonly(real, np.bool_), number))

    @property
    def counts(self) -> IntArray:
        """The number of tokens of each document, padding included."""
        return np.diff(self.offsets)

    @cached_property
    def first_places(self) -> IntArray:
        """The position of each document's first real token in its row; 0 without tokens."""
        index = np.where(self.counts > 0, self.offsets[:-1] + self.first, 0)
        return self.places[index] if self.places.size else index

    def before(self, token: int) -> IntArray:
        """Return the number of each document's tokens before a position of the row."""
        return np.bincount(self.documents[:, :token].ravel(), minlength=len(self.first))

    def index(self, chosen: IntArray, start: int, end: int) -> tuple[IntArray, BoolArray]:
        """Return the positions of documents' tokens in their rows, and whether they exist.

        Both have the shape (documents, end - start), for ranks from ``start``; a token that does
        not exist has position 0.
        """
        ranks = np.arange(start, end)
        exists = ranks < self.counts[chosen][:, None]
        index = np.where(exists, self.offsets[chosen][:, None] + ranks, 0)
        return (self.places[index] if self.places.size else index), exists
