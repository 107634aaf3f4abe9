"""Several documents in one row, none of which sees another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.arrays import frozen
from maskplug.attention.document_site import DocumentSite
from maskplug.attention.documents import numbers_of
from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Pattern
from maskplug.attention.patterns.basic import Full
from maskplug.attention.site import Site


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

    reads = ("documents",)

    @property
    def separates(self) -> bool:
        return True

    def rows(self, site: Site) -> Intervals:
        from maskplug.kernels.intervals import grown
        from maskplug.kernels.numbered import same

        if isinstance(site, DocumentSite):
            return Full().rows(site)
        keys, so_far = numbers_of(site)
        queries = so_far[:, site.offset :]
        made = grown(same, frozen(queries, np.int64), frozen(keys, np.int64))
        shape = (max(len(queries), len(keys)), 1, site.queries)
        return Intervals.from_kernel(site.keys, shape, made)
