"""Spans that become other tokens, of any number: what the replacements that do so share."""

from __future__ import annotations

import numpy as np

from maskplug.ragged import Ragged
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import IntArray, readonly


def rewritten(tokens: TokenBatch, selection: Selection, written: Ragged) -> Ragged:
    """The rows in which every span has become its row of ``written``, with their sources.

    Args:
        tokens: the original.
        selection: its spans; one of length 0 inserts before its start.
        written: what each span becomes: as many rows as there are spans.

    Example:
        >>> tokens = TokenBatch.from_lists([[5, 6, 7]])
        >>> spans = Selection(np.array([1]), np.array([2]), np.array([0, 1]), 3)
        >>> made = rewritten(tokens, spans, Ragged.of([[9]]))
        >>> made.to_lists(), made.sources.tolist()
        ([[5, 9]], [0, -1])
    """
    from maskplug.kernels.rewrite import rewrite

    size = len(tokens.ids) - int(selection.lengths.sum()) + len(written.values)
    ids, sources = np.empty(size, np.int64), np.empty(size, np.int64)
    offsets = rewrite(
        ids,
        sources,
        tokens.ids,
        tokens.offsets,
        selection.starts,
        selection.lengths,
        selection.offsets,
        readonly(written.values, np.int64),
        written.offsets,
    )
    return Ragged(ids, offsets, sources)


def one_each(selection: Selection, ids: IntArray) -> Ragged:
    """One token for each span."""
    return Ragged(ids, np.arange(len(selection.starts) + 1))
