"""Several documents in one row, none of which sees another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.attention.document_site import DocumentCall
from maskplug.attention.documents import numbers_of
from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Pattern
from maskplug.attention.patterns.basic import Full
from maskplug.attention.site import AttentionCall
from maskplug.types import readonly


@dataclass(frozen=True)
class Document(Pattern):
    """A query sees the keys of its own document.

    Reads the layer ``documents``: a number for each key, the same for all tokens of one document,
    which need not stand together. In cross attention the queries' documents are the layer
    ``query_documents``, and a query sees the source of its own document.

    Source: Krell et al., "Efficient sequence packing without cross-contamination", 2021.

    Example:
        >>> Document().dense(3, documents=[7, 7, 8])[0, 0].astype(int)
        array([[1, 1, 0], [1, 1, 0], [0, 0, 1]])
    """

    required_annotations = ("documents",)

    @property
    def separates(self) -> bool:
        return True

    def rows(self, site: AttentionCall) -> Intervals:
        from maskplug.kernels.intervals import grown
        from maskplug.kernels.numbered import same

        if isinstance(site, DocumentCall):
            return Full().rows(site)
        keys, so_far = numbers_of(site)
        queries = so_far[:, site.offset :]
        made = grown(same, readonly(queries, np.int64), readonly(keys, np.int64))
        shape = (max(len(queries), len(keys)), 1, site.q_len)
        return Intervals.from_kernel(site.kv_len, shape, made)
