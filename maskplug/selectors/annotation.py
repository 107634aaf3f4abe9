"""Check the values of annotations."""

from __future__ import annotations

import numpy as np

from maskplug.errors import TokenError
from maskplug.tokens import TokenBatch
from maskplug.types import IntArray


def place(tokens: TokenBatch, index: int) -> str:
    """Return how messages name the token at a flat position.

    Example:
        >>> place(TokenBatch.from_lists([[5, 6], [7]]), 2)
        'sample 1, position 0'
    """
    row = int(np.searchsorted(tokens.offsets, index, side="right")) - 1
    return f"sample {row}, position {index - tokens.offsets[row]}"


def whole_numbers(tokens: TokenBatch, name: str, meaning: str) -> IntArray:
    """Return an annotation of non-negative integers as int64; ``meaning`` is for messages.

    Raises:
        TokenError: if any value is not a non-negative integer; the message names the token.

    Example:
        >>> tokens = TokenBatch.from_lists([[5, 6]], languages=[[0, 1]])
        >>> whole_numbers(tokens, "languages", "the language of each token")
        array([0, 1])
    """
    values = tokens.annotations[name]
    wrong = ~((values >= 0) & (values < 2.0**63) & (values == np.trunc(values)))  # also NaN
    if wrong.any():
        first = int(np.argmax(wrong))
        raise TokenError(
            f"the annotation {name!r} must hold {meaning}, as non-negative integers; "
            f"{place(tokens, first)} has {values[first]}"
        )
    return values.astype(np.int64)
