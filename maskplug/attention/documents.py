"""Documents packed in one row: patterns joined with ``document`` are computed per document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from maskplug.attention.call import AttentionCall, merge_equal
from maskplug.attention.intervals import Intervals
from maskplug.attention.members import Members
from maskplug.context import MaskingContext
from maskplug.errors import TokenError
from maskplug.types import BoolArray, IntArray, readonly

#: The value of padding in the annotation ``documents``.
PADDING = -1
#: Documents share a call if it has at most this many cells more than twice their tokens.
SPARE = 8192


@dataclass(frozen=True, eq=False)
class Documents:
    """The documents of a call's rows.

    Attributes:
        call: its annotation ``documents`` numbers them, in cross attention also
            ``query_documents``.
        rows: the row of each document.
        keys, queries: their tokens up to the last key and query; the same in self-attention.
    """

    call: AttentionCall
    rows: IntArray
    keys: Members
    queries: Members

    @classmethod
    def of(cls, call: AttentionCall) -> Documents:
        """Read the annotations of a call; the result is cached on the call."""
        from maskplug.kernels.numbered import grouped

        cache = vars(call)
        if "_documents" in cache:
            cached: Documents = cache["_documents"]
            return cached
        key_documents, query_documents = document_numbers(call)
        if not call.cross:
            query_documents = query_documents[:, :0]
        shapes = (call.batch, call.kv_len), (call.batch, query_documents.shape[1])
        numbers = (key_documents, query_documents)
        arrays = (np.broadcast_to(*pair) for pair in zip(numbers, shapes, strict=True))
        of_keys, of_queries, row = grouped(*(readonly(array, np.int64) for array in arrays))
        keys = queries = Members.of(of_keys, call.valid & (key_documents != PADDING), len(row))
        if call.cross:
            real = call.valid_to_q_end & (query_documents != PADDING)
            queries = Members.of(of_queries, real, len(row))
        cache["_documents"] = documents = cls(call, row, keys, queries)
        return documents

    @cached_property
    def query_ranks(self) -> tuple[IntArray, IntArray]:
        """The rank of each document's first query, and the end of its last one."""
        return self.queries.before(self.call.offset), self.queries.before(self.call.q_end)

    @cached_property
    def first_keys(self) -> IntArray:
        """The first key of each query's document: int64 of shape (batch, 1, q_len).

        A document without keys, possible in cross attention, gets the first key of its row.
        """
        starts = np.broadcast_to(self.call.starts, self.call.batch)[self.rows]
        first = np.where(self.keys.end > 0, self.keys.first_places, starts)
        return first[self.queries.documents[:, self.call.q_slice]][:, None]

    @cached_property
    def context(self) -> MaskingContext:
        """The time and the sample key of each document."""
        context = self.call.context.take(self.rows)
        if "document_keys" not in self.call.annotations:
            return context
        annotation = self.call.per_token("document_keys", "document")
        keys = self.per_document(annotation, "document_keys").astype(np.uint64)
        keys = np.where(self.keys.end > 0, keys, context.keys).astype(np.uint64)
        return replace(context, keys=readonly(keys, np.uint64))

    def per_document(self, values: IntArray, name: str) -> IntArray:
        """Return the value shared by all real tokens of each document; 0 for an empty document."""
        keys = self.keys
        values = np.broadcast_to(values, keys.documents.shape)
        if not values.size:
            return np.zeros(len(self.rows), np.int64)
        shared: IntArray = np.where(keys.end > 0, values[self.rows, keys.first_places], 0)
        first, end = keys.first[keys.documents], keys.end[keys.documents]
        real = (keys.ranks >= first) & (keys.ranks < end)
        if (wrong := real & (values != shared[keys.documents])).any():
            row, key = (int(axis[0]) for axis in np.nonzero(wrong))
            raise TokenError(
                f"annotation {name!r} is {values[row, key]} at key {key} of sample {row}, but "
                f"{shared[keys.documents[row, key]]} at the first token of its document; all "
                "tokens of a document must have the same value"
            )
        return shared

    @cached_property
    def calls(self) -> tuple[DocumentCall, ...]:
        """Calls whose samples are the documents with queries, grouped by similar length."""
        begin, end = self.query_ranks
        chosen = np.flatnonzero(end > begin)
        sizes = np.maximum(self.keys.counts, end)[chosen]
        chosen = chosen[np.argsort(-sizes, kind="stable")]
        return tuple(self._call(group) for group in _groups(chosen, np.sort(sizes)[::-1]))

    def _call(self, chosen: IntArray) -> DocumentCall:
        call, (begin, end) = self.call, self.query_ranks
        first, last = int(begin[chosen].min()), int(end[chosen].max())
        kv_len = max(int(self.keys.counts[chosen].max()), 0 if call.cross else last)
        options = (call.heads, first, call.attention_kind, call.layer_idx, call.annotations)
        context = self.context.take(chosen)
        return DocumentCall(last - first, kv_len, context, *options, documents=self, chosen=chosen)

    def to_rows(self, results: list[Intervals]) -> Intervals:
        """Convert the intervals of each of the ``calls`` to intervals of the row's keys."""
        steps = {rows.step for rows in results}
        if len(steps) > 1 or (steps != {1} and self._interleaved):
            results, steps = [rows.expanded() for rows in results], {1}
        room = max((rows.lo.shape[-1] for rows in results), default=1)
        lo, hi, most = self._bounds(results, room)
        if most > room:
            lo, hi, most = self._bounds(results, most)
        bounds = (side.reshape(-1, side.shape[-1]) for side in (lo, hi))
        every = Intervals.from_kernel(self.call.kv_len, lo.shape[:3], (*bounds, most))
        if any(rows.keys is not None for rows in results):
            every = every.only(self._keys(results))
        step = max(steps, default=1)
        return every if step == 1 else every.every(step, self._phase(results))

    @cached_property
    def _interleaved(self) -> bool:
        """Whether a token of another document is between tokens of a document."""
        keys, nonempty = self.keys, self.keys.counts > 0
        first, last = keys.offsets[:-1][nonempty], keys.offsets[1:][nonempty] - 1
        return bool((keys.places[last] - keys.places[first] != last - first).any())

    def _bounds(self, results: list[Intervals], room: int) -> tuple[Any, Any, int]:
        """Return bounds of shape (batch, heads, q_len, room), and the largest count of a query."""
        from maskplug.kernels.numbered import put_back

        call, (begin, end) = self.call, self.query_ranks
        heads = max((rows.lo.shape[1] for rows in results), default=1)
        shape = (call.batch, heads, call.q_len, room)
        lo, hi = np.full(shape, call.kv_len, np.int32), np.full(shape, call.kv_len, np.int32)
        most = 0
        for inner, rows in zip(self.calls, results, strict=True):
            chosen = inner.chosen
            keys = np.stack([self.keys.offsets[chosen], self.keys.offsets[chosen + 1]], 1)
            before = self.queries.offsets[chosen]
            queries = np.stack([before + begin[chosen], before + end[chosen]], 1)
            numbers = (self.rows[chosen], keys, self.keys.places, queries, self.queries.places)
            arrays = (readonly(array, np.int64) for array in (*numbers, before + inner.offset))
            most = max(most, put_back(lo, hi, rows.lo, rows.hi, call.offset, *arrays))
        return lo, hi, most

    def _keys(self, results: list[Intervals]) -> BoolArray:
        """Return the keys that the results do not exclude: bool, (batch, heads, kv_len)."""
        masks = [rows.keys for rows in results]
        heads = max(mask.shape[1] for mask in masks if mask is not None)
        visible = np.ones((self.call.batch, self.call.kv_len, heads), np.bool_)
        for inner, mask in zip(self.calls, masks, strict=True):
            if mask is not None:
                idx, exists = self.keys.index(inner.chosen, 0, inner.kv_len)
                rows = np.broadcast_to(self.rows[inner.chosen][:, None], exists.shape)
                mask = np.broadcast_to(mask, (inner.batch, heads, inner.kv_len))
                visible[rows[exists], idx[exists]] = mask.swapaxes(1, 2)[exists]
        return visible.swapaxes(1, 2)

    def _phase(self, results: list[Intervals]) -> IntArray:
        """Return the phase of each query's steps: (batch, 1, q_len)."""
        call = self.call
        phase = np.zeros((call.batch, 1, call.q_len), np.int64)
        for inner, result in zip(self.calls, results, strict=True):
            idx, exists = self.queries.index(inner.chosen, inner.offset, inner.q_end)
            exists &= (idx >= call.offset) & (idx < call.q_end)
            start = self.keys.index(inner.chosen, 0, 1)[0]
            inner_phase = np.zeros(1, np.int64) if result.phase is None else result.phase[:, 0]
            inner_phase = np.broadcast_to(inner_phase + start, exists.shape)
            rows = np.broadcast_to(self.rows[inner.chosen][:, None], exists.shape)
            phase[rows[exists], 0, idx[exists] - call.offset] = inner_phase[exists]
        return phase


@dataclass(frozen=True, eq=False)
class DocumentCall(AttentionCall):
    """A call whose samples are documents of another call's rows.

    Annotations with one value per token are cut into documents. One value per sample is used for
    all documents of its row; given per token instead, each document has its own value. Pairs are
    those of the row.

    Attributes:
        documents: all documents of the rows.
        chosen: those that are samples of this call.
    """

    documents: Documents = field(kw_only=True)
    chosen: IntArray = field(kw_only=True)

    def name_of(self, sample: int) -> str:
        """Return the name of a document in messages."""
        document, rows = self.chosen[sample], self.documents.rows
        row = rows[document]
        return f"document {document - np.searchsorted(rows, row)} of sample {row}"

    def per_token(self, name: str, who: str, length: int | None = None) -> IntArray:
        """Return an annotation with one value per token."""
        of_queries = self.cross and length == self.q_end
        outer, members = self.documents.call, self.documents.keys
        if of_queries:
            members = self.documents.queries
        values = outer.per_token(name, who, outer.q_end if of_queries else None)
        return self._cut(values, members, self.kv_len if length is None else length)

    def per_sample(self, name: str, who: str) -> IntArray:
        """Return an annotation with one value per document."""
        outer, rows = self.documents.call, self.documents.rows[self.chosen]
        shape = np.shape(outer.annotations.get(name, ()))
        if shape and shape[-1] == outer.kv_len and (len(shape) == 2 or outer.kv_len != outer.batch):
            return self.documents.per_document(outer.per_token(name, who), name)[self.chosen]
        values = outer.per_sample(name, who)
        return values if len(values) == 1 else values[rows]

    def pairs(self, name: str, who: str) -> tuple[IntArray, IntArray, IntArray]:
        """Return pairs, counted in each document."""
        documents, outer = self.documents, self.documents.call
        sample, key, query = outer.pairs(name, who)
        key_start, query_start = (
            np.broadcast_to(starts, outer.batch)[sample]
            for starts in (outer.starts, outer.query_starts + outer.offset)
        )
        ends = []
        for members, place in ((documents.keys, key + key_start),
                               (documents.queries, query + query_start)):  # fmt: skip
            inside = (place >= 0) & (place < members.documents.shape[1])
            if not inside.all():
                i = int(inside.argmin())
                raise TokenError(
                    f"sample {sample[i]}: the pair {key[i]}-{query[i]} of annotation {name!r} is "
                    "outside the row (pairs count from the row's first token)"
                )
            document, rank = members.documents[sample, place], members.ranks[sample, place]
            ends.append((document, rank - members.first[document]))
        (key_document, key_rank), (query_document, query_rank) = ends
        if (wrong := np.flatnonzero(key_document != query_document)).size:
            i = wrong[0]
            raise TokenError(
                f"sample {sample[i]}: the pair {key[i]}-{query[i]} of annotation {name!r} joins "
                "two documents; remove it"
            )
        number = np.full(len(documents.rows), -1)
        number[self.chosen] = np.arange(len(self.chosen))
        kept = np.flatnonzero(number[key_document] >= 0)
        kept = kept[np.argsort(number[key_document[kept]], kind="stable")]
        return number[key_document[kept]], key_rank[kept], query_rank[kept]

    @cached_property
    def valid(self) -> BoolArray:
        """The real tokens among the keys of each document."""
        outer, members = self.documents.call, self.documents.keys
        idx, exists = members.index(self.chosen, 0, self.kv_len)
        first, end = (side[self.chosen][:, None] for side in (members.first, members.end))
        ranks = np.arange(self.kv_len)
        inside = exists & (ranks >= first) & (ranks < end)
        if len(outer.valid) == 1 and outer.valid.all():
            return inside
        valid = np.broadcast_to(outer.valid, members.documents.shape)
        return inside & valid[self.documents.rows[self.chosen][:, None], idx]

    @cached_property
    def starts(self) -> IntArray:
        """The first real key of each document; one number if all are equal."""
        return merge_equal(self.documents.keys.first[self.chosen])

    @cached_property
    def lengths(self) -> IntArray:
        """The number of keys from the first real one to the last, likewise."""
        keys = self.documents.keys
        return merge_equal((keys.end - keys.first)[self.chosen])

    @cached_property
    def valid_to_q_end(self) -> BoolArray:
        """The real tokens of each document up to its last query."""
        if not self.cross:
            return self.valid[:, : self.q_end]
        real = self.documents.call.valid_to_q_end.astype(np.int64)
        return np.not_equal(self._cut(real, self.documents.queries, self.q_end), 0)

    def _cut(self, values: IntArray, members: Members, width: int) -> IntArray:
        """Return values of the rows' tokens per document, padded with 0: (documents, width)."""
        idx, exists = members.index(self.chosen, 0, width)
        rows = self.documents.rows[self.chosen][:, None] if len(values) > 1 else 0
        return np.where(exists, values[rows, idx] if values.size else 0, 0)


def document_numbers(call: AttentionCall) -> tuple[IntArray, IntArray]:
    """Return the documents of keys, (batch or 1, kv_len), and of queries, (batch or 1, q_end)."""
    keys = call.per_token("documents", "document")
    if call.cross:
        return keys, call.per_token("query_documents", "document", call.q_end)
    return keys, keys[:, : call.q_end]


def by_document(call: AttentionCall, rows: Callable[[AttentionCall], Intervals]) -> Intervals:
    """Return the mask of the call's documents, each computed as if it were alone."""
    if isinstance(call, DocumentCall):
        return rows(call)
    documents = Documents.of(call)
    return documents.to_rows([rows(inner) for inner in documents.calls])


def _groups(chosen: IntArray, sizes: IntArray) -> Iterator[IntArray]:
    """Yield groups of documents of similar size, from the largest, so that padding is short."""
    while len(chosen):
        cells = sizes[0] * np.arange(1, len(sizes) + 1)
        fits = cells <= 2 * np.cumsum(sizes) + SPARE
        count = len(fits) if fits.all() else max(int(fits.argmin()), 1)
        yield chosen[:count]
        chosen, sizes = chosen[count:], sizes[count:]
