"""Build target rows from spans; shared by targets that are generated."""

from __future__ import annotations

from typing import Any

import numpy as np

from maskplug.ragged import Ragged
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import readonly


def gathered(
    tokens: TokenBatch, selection: Selection, heads: Any = (), end: int | None = None
) -> Ragged:
    """Return the selected tokens of every row, span by span, with their sources.

    Args:
        tokens, selection: the original and its spans.
        heads: an id to write before each span; empty for none.
        end: an id to write at the end of every row.

    Example:
        >>> tokens = TokenBatch.from_lists([[5, 6, 7, 8]])
        >>> spans = Selection(np.array([0, 2]), np.array([1, 2]), np.array([0, 2]), 4)
        >>> gathered(tokens, spans, heads=[91, 92], end=3).to_lists()
        [[91, 5, 92, 7, 8, 3]]
    """
    from maskplug.kernels.rewrite import gather_spans

    size = int(selection.lengths.sum()) + len(heads) + (0 if end is None else len(selection))
    ids, sources = np.empty(size, np.int64), np.empty(size, np.int64)
    offsets = gather_spans(
        ids,
        sources,
        tokens.ids,
        *selection.spans,
        readonly(heads, np.int64),
        -1 if end is None else end,
    )
    return Ragged(ids, offsets, sources)
