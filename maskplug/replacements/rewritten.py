"""Write new rows: spans replaced with other tokens, or units in another order."""

from __future__ import annotations

import numpy as np

from maskplug.ragged import Ragged
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import IntArray, readonly


def rewritten(tokens: TokenBatch, selection: Selection, written: Ragged) -> Ragged:
    """Return the rows with every span replaced by its row of ``written``, with sources.

    A span of length 0 inserts before its start.

    Example:
        >>> tokens = TokenBatch.from_lists([[5, 6, 7]])
        >>> spans = Selection(np.array([1]), np.array([2]), np.array([0, 1]), 3)
        >>> rows = rewritten(tokens, spans, Ragged.of([[9]]))
        >>> rows.to_lists(), rows.sources.tolist()
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
        *selection.spans,
        readonly(written.values, np.int64),
        written.offsets,
    )
    return Ragged(ids, offsets, sources)


def one_each(selection: Selection, ids: IntArray) -> Ragged:
    """Return rows of one token, one for each span."""
    return Ragged(ids, np.arange(len(selection.starts) + 1))


def rearranged(tokens: TokenBatch, places: Selection, order: IntArray) -> Ragged:
    """Return the rows with their units in another order, with sources.

    Args:
        tokens: the original; tokens outside of ``places`` stay between the same two places.
        places: the units.
        order: index in its sample of the unit at each place, int64.

    Example:
        >>> tokens = TokenBatch.from_lists([[2, 7, 8, 9, 3]])
        >>> words = Selection(np.array([1, 3]), np.array([2, 1]), np.array([0, 2]), 5)
        >>> rearranged(tokens, words, np.array([1, 0])).to_lists()
        [[2, 9, 7, 8, 3]]
    """
    from maskplug.kernels.arrange import arrange

    ids, sources = np.empty_like(tokens.ids), np.empty_like(tokens.ids)
    arrange(ids, sources, tokens.ids, tokens.offsets, *places.spans, order)
    return Ragged(ids, tokens.offsets, sources)
