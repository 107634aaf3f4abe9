"""Put units in another order; shared by replacements that move tokens."""

from __future__ import annotations

import numpy as np

from maskplug.ragged import Ragged
from maskplug.tokens import Selection, TokenBatch
from maskplug.types import IntArray


def rearranged(tokens: TokenBatch, places: Selection, order: IntArray) -> Ragged:
    """Return the rows with their units in another order, with sources.

    Args:
        tokens: the original. Tokens that belong to no unit stay between the same two places.
        places: the units.
        order: index in its sample of the unit at each place, int64.

    Example:
        >>> import numpy as np
        >>> tokens = TokenBatch.from_lists([[2, 7, 8, 9, 3]])
        >>> words = Selection(np.array([1, 3]), np.array([2, 1]), np.array([0, 2]), 5)
        >>> rearranged(tokens, words, np.array([1, 0])).to_lists()
        [[2, 9, 7, 8, 3]]
    """
    from maskplug.kernels.arrange import arrange

    ids, sources = np.empty_like(tokens.ids), np.empty_like(tokens.ids)
    arrange(ids, sources, tokens.ids, tokens.offsets, *places.spans, order)
    return Ragged(ids, tokens.offsets, sources)
