"""Several documents in one row, without attention between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskplug.attention.call import AttentionCall
from maskplug.attention.documents import DocumentCall, document_numbers
from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Pattern
from maskplug.attention.patterns.basic import Full
from maskplug.types import readonly


@dataclass(frozen=True)
class Document(Pattern):
    """A query attends to the keys of its own document.

    Needs the annotation ``documents``: one number per key, the same for all tokens of a document,
    which need not be contiguous. In cross attention the annotation ``query_documents`` holds the
    documents of the queries, and a query attends to the source of its own document.

    Source: Krell et al., "Efficient sequence packing without cross-contamination", 2021.

    Example:
        >>> Document().dense(3, documents=[7, 7, 8])[0, 0].astype(int)
        array([[1, 1, 0], [1, 1, 0], [0, 0, 1]])
    """

    required_annotations = ("documents",)

    @property
    def separates(self) -> bool:
        return True

    def rows(self, call: AttentionCall) -> Intervals:
        from maskplug.kernels.intervals import grown
        from maskplug.kernels.numbered import same

        if isinstance(call, DocumentCall):
            return Full().rows(call)
        keys, tokens = document_numbers(call)
        queries = tokens[:, call.offset :]
        bounds = grown(same, readonly(queries, np.int64), readonly(keys, np.int64))
        shape = (max(len(queries), len(keys)), 1, call.q_len)
        return Intervals.from_kernel(call.kv_len, shape, bounds)
