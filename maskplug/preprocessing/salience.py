"""Convert character spans, such as those of entity taggers, to the annotation ``salient``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from maskplug.errors import TokenError
from maskplug.types import IntArray

Offsets = Sequence[tuple[int, int]]


def salient_layer(offsets: Offsets, spans: Offsets) -> IntArray:
    """Return the annotation ``salient`` of one text: int64, one number for each token.

    A token belongs to a span if all its characters do. A token that extends beyond the span does
    not, such as a byte-level token whose offsets include the space before it.

    Args:
        offsets: start and (exclusive) end of each token in the text, as in a tokenizer's
            ``offset_mapping``; (0, 0) for special tokens.
        spans: start and (exclusive) end of each span in characters; see :func:`byte_offsets` for
            spans in bytes. The tokens of a span get its number, counted from 1.

    Raises:
        TokenError: if a span covers no whole token, or two spans overlap.

    Example:
        >>> offsets = [(0, 0), (0, 3), (4, 7), (7, 9), (10, 12), (0, 0)]  # Ada Love lace ran
        >>> salient_layer(offsets, [(0, 9)]).tolist()
        [0, 1, 1, 1, 0, 0]
    """
    bounds = np.array(offsets, np.int64).reshape(-1, 2)
    numbers = np.zeros(len(bounds), np.int64)
    for number, (start, end) in enumerate(spans, 1):
        inside = (bounds[:, 0] >= start) & (bounds[:, 1] <= end) & (bounds[:, 0] < bounds[:, 1])
        if not inside.any():
            raise TokenError(f"the span ({start}, {end}) covers no whole token")
        if numbers[inside].any():
            other = spans[int(numbers[inside].max()) - 1]
            raise TokenError(f"the spans {tuple(other)} and ({start}, {end}) overlap")
        numbers[inside] = number
    return numbers


def byte_offsets(text: str, spans: Offsets) -> list[tuple[int, int]]:
    """Convert spans in UTF-8 bytes of a text to spans in characters.

    Raises:
        TokenError: if a span is outside the text, or starts or ends inside a character.

    Example:
        >>> byte_offsets("Zoë ran", [(0, 4)])
        [(0, 3)]
    """
    data = text.encode()
    converted = []
    for start, end in spans:
        if not 0 <= start <= end <= len(data):
            raise TokenError(f"the span ({start}, {end}) is no part of {len(data)} bytes of text")
        try:
            first = len(data[:start].decode())
            converted.append((first, first + len(data[start:end].decode())))
        except UnicodeDecodeError:
            raise TokenError(
                f"the span ({start}, {end}) begins or ends inside a character of {text!r}"
            ) from None
    return converted
