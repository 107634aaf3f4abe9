"""From spans of characters, as taggers of names and dates give them, to the layer ``salient``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from maskplug.errors import TokenError
from maskplug.types import IntArray

Offsets = Sequence[tuple[int, int]]


def salient_layer(offsets: Offsets, spans: Offsets) -> IntArray:
    """The layer ``salient`` of one text: int64, one number for each token.

    A token belongs to a span if all of its characters do. One that reaches beyond the span, as
    byte-level tokens do when their offsets take in the blank before them, does not.

    Args:
        offsets: where each token begins and ends (exclusive) in the text, as a tokenizer's
            ``offset_mapping`` says; (0, 0) for special tokens.
        spans: where each span begins and ends (exclusive), in characters; see :func:`byte_offsets`
            for spans in bytes. Its tokens get its number, counted from 1.

    Raises:
        TokenError: when a span covers no whole token, or two spans overlap.

    Example:
        >>> offsets = [(0, 0), (0, 3), (4, 7), (7, 9), (10, 12), (0, 0)]  # Ada Love lace ran
        >>> salient_layer(offsets, [(0, 9)]).tolist()
        [0, 1, 1, 1, 0, 0]
    """
    bounds = np.array(offsets, np.int64).reshape(-1, 2)
    layer = np.zeros(len(bounds), np.int64)
    for number, (start, end) in enumerate(spans, 1):
        inside = (bounds[:, 0] >= start) & (bounds[:, 1] <= end) & (bounds[:, 0] < bounds[:, 1])
        if not inside.any():
            raise TokenError(f"the span ({start}, {end}) covers no token as a whole")
        if layer[inside].any():
            other = spans[int(layer[inside].max()) - 1]
            raise TokenError(f"the spans {tuple(other)} and ({start}, {end}) overlap")
        layer[inside] = number
    return layer


def byte_offsets(text: str, spans: Offsets) -> list[tuple[int, int]]:
    """Spans of characters for spans of bytes of the text in UTF-8.

    Raises:
        TokenError: when a span is no part of the text, or begins or ends inside a character.

    Example:
        >>> byte_offsets("Zoë ran", [(0, 4)])
        [(0, 3)]
    """
    data = text.encode()
    found = []
    for start, end in spans:
        if not 0 <= start <= end <= len(data):
            raise TokenError(f"the span ({start}, {end}) is no part of {len(data)} bytes of text")
        try:
            first = len(data[:start].decode())
            found.append((first, first + len(data[start:end].decode())))
        except UnicodeDecodeError:
            raise TokenError(
                f"the span ({start}, {end}) begins or ends inside a character of {text!r}"
            ) from None
    return found
