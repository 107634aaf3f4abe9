"""A site whose samples are the documents of packed rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from maskplug.attention.members import Members
from maskplug.attention.site import AttentionCall
from maskplug.errors import TokenError
from maskplug.types import BoolArray, IntArray

if TYPE_CHECKING:
    from maskplug.attention.documents import Documents


@dataclass(frozen=True, eq=False)
class DocumentCall(AttentionCall):
    """A site whose samples are documents of another site's rows.

    Layers with one value a token are cut to the documents. One with a value a sample holds for all
    documents of its row; with a value a token instead, each document has its own. Pairs are those
    of the row.

    Attributes:
        inside: all documents, and the site of their rows.
        chosen: those that are samples here.
    """

    inside: Documents = field(kw_only=True)
    chosen: IntArray = field(kw_only=True)

    def __getattribute__(self, name: str) -> Any:
        if name == "layer_idx":  # a watched site notes that it is asked for
            return object.__getattribute__(self, "inside").site.layer_idx
        return object.__getattribute__(self, name)

    def called(self, sample: int) -> str:
        """What a message calls a document."""
        document, documents = self.chosen[sample], self.inside.rows
        row = documents[document]
        return f"document {document - np.searchsorted(documents, row)} of sample {row}"

    def per_token(self, name: str, who: str, length: int | None = None) -> IntArray:
        """As in :class:`Site`, of each document."""
        of_queries = self.cross and length == self.so_far
        site, members = self.inside.site, self.inside.keys
        if of_queries:
            members = self.inside.queries
        row = site.per_token(name, who, site.so_far if of_queries else None)
        width = self.kv_len if length is None else length
        return self._cut(row, members, width)

    def per_sample(self, name: str, who: str) -> IntArray:
        """As in :class:`Site`, for each document."""
        site, rows = self.inside.site, self.inside.rows[self.chosen]
        shape = np.shape(site.annotations.get(name, ()))
        if shape and shape[-1] == site.kv_len and (len(shape) == 2 or site.kv_len != site.batch):
            return self.inside.single(site.per_token(name, who), name)[self.chosen]
        values = site.per_sample(name, who)
        return values if len(values) == 1 else values[rows]

    def pairs(self, name: str, who: str) -> tuple[IntArray, IntArray, IntArray]:
        """As in :class:`Site`, counted in each document."""
        inside, site = self.inside, self.inside.site
        sample, key, query = site.pairs(name, who)
        starts, before = (
            np.broadcast_to(of, site.batch)[sample]
            for of in (site.starts, site.query_starts + site.offset)
        )
        ends = []
        for members, place in ((inside.keys, key + starts), (inside.queries, query + before)):
            there = (place >= 0) & (place < members.documents.shape[1])
            if not there.all():
                i = int(there.argmin())
                raise TokenError(
                    f"sample {sample[i]}: the pair {key[i]}-{query[i]} of the layer {name!r} "
                    "leaves the row, from whose first token it is counted"
                )
            document, rank = members.documents[sample, place], members.ranks[sample, place]
            ends.append((document, rank - members.first[document]))
        (one, key_rank), (other, query_rank) = ends
        if (wrong := np.flatnonzero(one != other)).size:
            i = wrong[0]
            raise TokenError(
                f"sample {sample[i]}: the pair {key[i]}-{query[i]} of the layer {name!r} joins two "
                "documents; leave it out"
            )
        number = np.full(len(inside.rows), -1)
        number[self.chosen] = np.arange(len(self.chosen))
        kept = np.flatnonzero(number[one] >= 0)
        kept = kept[np.argsort(number[one[kept]], kind="stable")]
        return number[one[kept]], key_rank[kept], query_rank[kept]

    @cached_property
    def valid(self) -> BoolArray:
        """The real tokens among the keys of each document."""
        site, members = self.inside.site, self.inside.keys
        index, there = members.index(self.chosen, 0, self.kv_len)
        first, end = (side[self.chosen][:, None] for side in (members.first, members.end))
        ranks = np.arange(self.kv_len)
        inside = there & (ranks >= first) & (ranks < end)
        if len(site.valid) == 1 and site.valid.all():
            return inside
        valid = np.broadcast_to(site.valid, members.documents.shape)
        return inside & valid[self.inside.rows[self.chosen][:, None], index]

    @cached_property
    def starts(self) -> IntArray:
        """The first real key of each document; one number where it is the same in all.

        So what depends on places alone is made once, not for each document.
        """
        return _one(self.inside.keys.first[self.chosen])

    @cached_property
    def lengths(self) -> IntArray:
        """From the first real key of each document to the last, likewise."""
        return _one((self.inside.keys.end - self.inside.keys.first)[self.chosen])

    @cached_property
    def valid_so_far(self) -> BoolArray:
        """The real tokens of each document up to its last query."""
        if not self.cross:
            return self.valid[:, : self.so_far]
        real = self.inside.site.valid_so_far.astype(np.int64)
        return np.not_equal(self._cut(real, self.inside.queries, self.so_far), 0)

    def _cut(self, row: IntArray, members: Members, width: int) -> IntArray:
        """A layer of the rows as one of the documents, 0 behind their ends: (documents, width)."""
        index, there = members.index(self.chosen, 0, width)
        rows = self.inside.rows[self.chosen][:, None] if len(row) > 1 else 0
        return np.where(there, row[rows, index] if row.size else 0, 0)


def _one(values: IntArray) -> IntArray:
    """The values, or one alone where all are the same."""
    return values[:1] if len(values) and (values == values[0]).all() else values
