"""Several documents in one row, without attention between them."""

from __future__ import annotations

from dataclasses import dataclass

from maskplug.attention.call import AttentionCall
from maskplug.attention.documents import DocumentCall, document_numbers
from maskplug.attention.intervals import Intervals
from maskplug.attention.pattern import Pattern
from maskplug.attention.patterns.basic import Full


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
        if isinstance(call, DocumentCall):
            return Full().rows(call)
        keys, tokens = document_numbers(call)
        return Intervals.of_equal(tokens[:, call.offset :], keys)
