"""FlashMask's form of a mask: for each key, the queries that do not see it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from maskplug.attention.flat import flat
from maskplug.attention.intervals import Intervals
from maskplug.errors import OptionError
from maskplug.types import readonly

Rows = NDArray[np.int32]


class FlashMask(NamedTuple):
    """What ``flashmask_attention(q, k, v, startend_row_indices, causal=causal)`` takes.

    Each key has 1, 2 or 4 numbers r1, r2, …, rows of queries from 0; the fewest that will do are
    taken for all keys. The key is hidden from

    - causal, 1 number: the queries before the key's own, and [r1, queries);
    - causal, 2 numbers: the queries before the key's own, and [r1, r2);
    - not causal, 2 numbers: [r1, queries) and [0, r2);
    - not causal, 4 numbers: [r1, r2) and [r3, r4).

    FlashMask calls [r1, r2) the run of the lower triangle and [r3, r4) that of the upper; a single
    run is therefore cut in two at the diagonal. Where a key has two runs, r1, r2 are the later and
    r3, r4 the earlier one, wherever they lie, as FlashMask's own conversion to a matrix reads them.
    Causal forms need as many queries as keys.

    Attributes:
        startend_row_indices: int32 of shape (batch, heads, keys, 1 | 2 | 4). FlashMask spreads a
            head axis of 1 by itself; a batch axis of 1 has to be repeated.
        causal: whether queries before a key's own are hidden from it besides.

    Source: Wang et al., "FlashMask: efficient and rich mask extension of FlashAttention", 2024;
    PaddlePaddle's ``paddle.nn.functional.flashmask_attention``.
    """

    startend_row_indices: Rows
    causal: bool

    @classmethod
    def of(cls, rows: Intervals, who: Any) -> FlashMask:
        """The columns of a mask, straight from its intervals: no matrix is made.

        Args:
            rows: the mask.
            who: the pattern, for the message.

        Raises:
            OptionError: when a key is hidden from more than two runs of queries.
        """
        rows = rows if rows.step == 1 else rows.expanded()
        first, second = _runs(rows, who)
        queries, n = rows.shape[2], rows.n_keys
        own = np.minimum(np.arange(n, dtype=np.int32), queries)
        alone = second[..., :1] == queries  # a single run is cut in two at the diagonal
        lower = np.where(alone, np.maximum(first, own[:, None]), second)
        upper = np.where(alone, np.minimum(first, own[:, None]), first)
        lower[lower[..., 0] >= lower[..., 1]] = queries
        upper[upper[..., 0] >= upper[..., 1]] = 0
        causal = queries == n and not upper[..., 0].any() and bool((upper[..., 1] == own).all())
        if causal:
            open_ended = (lower[..., 1] == queries).all()
            found = lower[..., :1] if open_ended else lower
        elif (lower[..., 1] == queries).all() and (upper[..., 0] == 0).all():
            found = np.stack([lower[..., 0], upper[..., 1]], -1)
        else:
            found = np.concatenate([lower, upper], -1)
        return cls(readonly(found, np.int32), causal)


def _runs(rows: Intervals, who: Any) -> tuple[Rows, Rows]:
    """The two runs of queries that each key is hidden from: (batch, heads, keys, 2) each."""
    from maskplug.kernels.columns import hidden

    batch, heads, queries = rows.shape
    lo, hi, keys, which = flat(rows)
    runs, mask, key = hidden(lo, hi, keys, which, queries, 2)
    if mask >= 0:
        column = slice(mask * queries, (mask + 1) * queries)
        seen = ((lo[column] <= key) & (key < hi[column])).any(-1)
        edges = np.flatnonzero(np.diff(np.concatenate([[True], seen, [True]])))
        pairs = [f"[{a}, {b})" for a, b in edges.reshape(-1, 2).tolist()]
        more = ", …" if len(pairs) > 4 else ""
        raise OptionError(
            f"pattern {who} hides key {key} (sample {mask // heads}, head {mask % heads}) from "
            f"{len(pairs)} runs of queries, {', '.join(pairs[:4])}{more}; FlashMask's columns hold "
            "two. The other renderers take any pattern, block_mask among them"
        )
    runs = runs.reshape(batch, heads, rows.n_keys, 2, 2)
    return runs[..., 0, :], runs[..., 1, :]
