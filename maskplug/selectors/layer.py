"""What a layer of a batch holds, checked; that it is there, the strategy has seen to."""

from __future__ import annotations

import numpy as np

from maskplug.errors import TokenError
from maskplug.tokens import TokenBatch
from maskplug.types import IntArray


def place(tokens: TokenBatch, index: int) -> str:
    """How a message calls the token at a flat position.

    Example:
        >>> place(TokenBatch.from_lists([[5, 6], [7]]), 2)
        'sample 1, position 0'
    """
    row = int(np.searchsorted(tokens.offsets, index, side="right")) - 1
    return f"sample {row}, position {index - tokens.offsets[row]}"


def whole_numbers(tokens: TokenBatch, name: str, what: str) -> IntArray:
    """A layer of whole numbers that are not negative, as int64.

    Args:
        tokens: the batch.
        name: of the layer.
        what: the numbers are: "the language of each token".

    Raises:
        TokenError: when the layer holds something else; the message says where.

    Example:
        >>> tokens = TokenBatch.from_lists([[5, 6]], languages=[[0, 1]])
        >>> whole_numbers(tokens, "languages", "the language of each token")
        array([0, 1])
    """
    layer = tokens.annotations[name]
    wrong = ~((layer >= 0) & (layer < 2.0**63) & (layer == np.trunc(layer)))  # also NaN
    if wrong.any():
        first = int(np.argmax(wrong))
        raise TokenError(
            f"the layer {name!r} holds {what}, whole numbers that are not negative; "
            f"{place(tokens, first)} has {layer[first]}"
        )
    return layer.astype(np.int64)
