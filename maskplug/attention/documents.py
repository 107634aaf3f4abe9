"""Rows that hold several documents: each is a sample of its own to the patterns that ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from maskplug.attention.document_site import DocumentCall
from maskplug.attention.intervals import Intervals
from maskplug.attention.members import Members
from maskplug.attention.site import AttentionCall
from maskplug.context import MaskingContext
from maskplug.errors import TokenError
from maskplug.types import BoolArray, IntArray, readonly

#: What stands for padding in the layer ``documents``.
PADDING = -1
#: Documents share a site as long as it has so many cells more than twice their tokens.
SPARE = 8192


@dataclass(frozen=True, eq=False)
class Documents:
    """The documents of a site's rows.

    Attributes:
        site: whose layer ``documents`` tells them, in cross attention ``query_documents`` too.
        rows: the row of each document.
        keys, queries: their tokens up to the last key and query; the same in self-attention.
    """

    site: AttentionCall
    rows: IntArray
    keys: Members
    queries: Members

    @classmethod
    def of(cls, site: AttentionCall) -> Documents:
        """Read the layers.

        Raises:
            TokenError: when a layer is missing, or does not fit.
        """
        from maskplug.kernels.numbered import grouped

        numbers, asking = numbers_of(site)
        if not site.cross:
            asking = asking[:, :0]
        rows = (site.batch, site.kv_len), (site.batch, asking.shape[1])
        spread = (np.broadcast_to(*pair) for pair in zip((numbers, asking), rows, strict=True))
        of_keys, of_queries, row = grouped(*(readonly(one, np.int64) for one in spread))
        keys = Members.of(of_keys, site.valid & (numbers != PADDING), len(row))
        if not site.cross:
            return cls(site, row, keys, keys)
        real = site.valid_so_far & (asking != PADDING)
        return cls(site, row, keys, Members.of(of_queries, real, len(row)))

    @cached_property
    def asked(self) -> tuple[IntArray, IntArray]:
        """The first query of each document and the end of its last one, by rank."""
        site = self.site
        return self.queries.before(site.offset), self.queries.before(site.so_far)

    @cached_property
    def firsts(self) -> IntArray:
        """The key that is the first token of each query's document, or else of its row.

        Returns:
            int64 of shape (batch, 1, queries).
        """
        starts = np.broadcast_to(self.site.starts, self.site.batch)[self.rows]
        first = np.where(self.keys.end > 0, self.keys.first_places, starts)
        here = self.queries.documents[:, self.site.offset : self.site.so_far]
        return first[here][:, None]

    @cached_property
    def context(self) -> MaskingContext:
        """The time and the sample key of each document."""
        context = self.site.context.take(self.rows)
        if "document_keys" not in self.site.annotations:
            return context
        given = self.single(self.site.per_token("document_keys", "document"), "document_keys")
        keys = np.where(self.keys.end > 0, given.astype(np.uint64), context.keys)
        return replace(context, keys=readonly(keys.astype(np.uint64), np.uint64))

    def single(self, layer: IntArray, name: str) -> IntArray:
        """The value that all real tokens of a document have in a layer; 0 where there is none.

        Raises:
            TokenError: when they differ.
        """
        keys = self.keys
        layer = np.broadcast_to(layer, keys.documents.shape)
        if not layer.size:
            return np.zeros(len(self.rows), np.int64)
        values: IntArray = np.where(keys.end > 0, layer[self.rows, keys.first_places], 0)
        first, end = keys.first[keys.documents], keys.end[keys.documents]
        real = (keys.ranks >= first) & (keys.ranks < end)
        if (wrong := real & (layer != values[keys.documents])).any():
            row, key = (int(axis[0]) for axis in np.nonzero(wrong))
            raise TokenError(
                f"the layer {name!r} is {layer[row, key]} at key {key} of sample {row}, and "
                f"{values[keys.documents[row, key]]} at the first token of its document; all "
                "tokens of one document must have the same value"
            )
        return values

    @cached_property
    def sites(self) -> tuple[DocumentCall, ...]:
        """Sites whose samples are the documents that ask, those of like length together."""
        begin, end = self.asked
        chosen = np.flatnonzero(end > begin)
        sizes = np.maximum(self.keys.counts, end)[chosen]
        chosen = chosen[np.argsort(-sizes, kind="stable")]
        return tuple(self._site(some) for some in _alike(chosen, np.sort(sizes)[::-1]))

    def _site(self, chosen: IntArray) -> DocumentCall:
        site, (begin, end) = self.site, self.asked
        first, last = int(begin[chosen].min()), int(end[chosen].max())
        keys = max(int(self.keys.counts[chosen].max()), 0 if site.cross else last)
        context = self.context.take(chosen)
        # Not site.depth: it is the pattern that asks for it, or does not.
        layer_idx = vars(site)["layer_idx"]
        options = (context, site.heads, first, site.attention_kind, layer_idx, site.annotations)
        return DocumentCall(last - first, keys, *options, inside=self, chosen=chosen)

    def put_back(self, results: list[Intervals]) -> Intervals:
        """What the documents' queries see, as intervals of the row's keys.

        Args:
            results: what they see in each of the ``sites``.
        """
        steps = {rows.step for rows in results}
        if len(steps) > 1 or (steps != {1} and self._apart):
            results, steps = [rows.expanded() for rows in results], {1}
        room = max((rows.lo.shape[-1] for rows in results), default=1)
        lo, hi, most = self._written(results, room)
        if most > room:
            lo, hi, most = self._written(results, most)
        bounds = (side.reshape(-1, side.shape[-1]) for side in (lo, hi))
        every = Intervals.from_kernel(self.site.kv_len, lo.shape[:3], (*bounds, most))
        if any(rows.keys is not None for rows in results):
            every = every.only(self._shown(results))
        step = max(steps, default=1)
        return every if step == 1 else every.every(step, self._phase(results))

    @cached_property
    def _apart(self) -> bool:
        """Whether tokens of another document stand between those of one."""
        keys, there = self.keys, self.keys.counts > 0
        first, last = keys.offsets[:-1][there], keys.offsets[1:][there] - 1
        return bool((keys.places[last] - keys.places[first] != last - first).any())

    def _written(self, results: list[Intervals], room: int) -> tuple[Any, Any, int]:
        """The bounds of shape (batch, heads, queries, room), and the most of any query."""
        from maskplug.kernels.numbered import put_back

        site, (begin, end) = self.site, self.asked
        heads = max((rows.lo.shape[1] for rows in results), default=1)
        shape = (site.batch, heads, site.q_len, room)
        lo, hi = np.full(shape, site.kv_len, np.int32), np.full(shape, site.kv_len, np.int32)
        most = 0
        for inner, rows in zip(self.sites, results, strict=True):
            chosen = inner.chosen
            keys = np.stack([self.keys.offsets[chosen], self.keys.offsets[chosen + 1]], 1)
            before = self.queries.offsets[chosen]
            queries = np.stack([before + begin[chosen], before + end[chosen]], 1)
            numbers = (self.rows[chosen], keys, self.keys.places, queries, self.queries.places)
            arrays = (readonly(array, np.int64) for array in (*numbers, before + inner.offset))
            most = max(most, put_back(lo, hi, rows.lo, rows.hi, site.offset, *arrays))
        return lo, hi, most

    def _shown(self, results: list[Intervals]) -> BoolArray:
        """The keys that results leave, bool of shape (batch, heads, keys)."""
        masks = [rows.keys for rows in results]
        heads = max(mask.shape[1] for mask in masks if mask is not None)
        shown = np.ones((self.site.batch, self.site.kv_len, heads), np.bool_)
        for inner, mask in zip(self.sites, masks, strict=True):
            if mask is not None:
                index, there = self.keys.index(inner.chosen, 0, inner.kv_len)
                rows = np.broadcast_to(self.rows[inner.chosen][:, None], there.shape)
                spread = np.broadcast_to(mask, (inner.batch, heads, inner.kv_len))
                shown[rows[there], index[there]] = spread.swapaxes(1, 2)[there]
        return shown.swapaxes(1, 2)

    def _phase(self, results: list[Intervals]) -> IntArray:
        """Where each query's steps begin: (batch, 1, queries)."""
        site = self.site
        phase = np.zeros((site.batch, 1, site.q_len), np.int64)
        for inner, result in zip(self.sites, results, strict=True):
            index, there = self.queries.index(inner.chosen, inner.offset, inner.so_far)
            there &= (index >= site.offset) & (index < site.so_far)
            start = self.keys.index(inner.chosen, 0, 1)[0]
            own = np.zeros(1, np.int64) if result.phase is None else result.phase[:, 0]
            rows = np.broadcast_to(self.rows[inner.chosen][:, None], there.shape)
            phase[rows[there], 0, index[there] - site.offset] = np.broadcast_to(
                own + start, there.shape
            )[there]
        return phase


def numbers_of(site: AttentionCall) -> tuple[IntArray, IntArray]:
    """The document of each key, and of each token up to the last query.

    Returns:
        int64 of shape (batch or 1, keys) and (batch or 1, offset + queries).
    """
    keys = site.per_token("documents", "document")
    if site.cross:
        return keys, site.per_token("query_documents", "document", site.so_far)
    return keys, keys[:, : site.so_far]


def by_document(site: AttentionCall, rows: Callable[[AttentionCall], Intervals]) -> Intervals:
    """Ask for each document of the rows as if it were alone.

    Args:
        site: where attention is asked for; its layer ``documents`` tells which token belongs where.
        rows: gives what every query sees, at a site whose samples are documents.

    Returns:
        What the queries of ``site`` see: keys of their own document only.
    """
    if isinstance(site, DocumentCall):
        return rows(site)
    return site.documents.put_back([rows(inner) for inner in site.documents.sites])


def _alike(chosen: IntArray, sizes: IntArray) -> Iterator[IntArray]:
    """Documents in groups of like size: in each there is little that only fills up.

    Args:
        chosen: the documents.
        sizes: theirs, in descending order.
    """
    while len(chosen):
        cells = sizes[0] * np.arange(1, len(sizes) + 1)
        fits = cells <= 2 * np.cumsum(sizes) + SPARE
        count = len(fits) if fits.all() else max(int(fits.argmin()), 1)
        yield chosen[:count]
        chosen, sizes = chosen[count:], sizes[count:]
