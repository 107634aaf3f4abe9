"""Pad ragged rows to arrays, without a framework; all padding is written here."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from maskplug.errors import OptionError, TokenError
from maskplug.ragged import Ragged
from maskplug.types import IntArray, readonly

Side = Literal["right", "left"]


def padded_width(lengths: IntArray, multiple_of: int | None = None) -> int:
    """Return the width of a padded batch: the longest row, rounded up to ``multiple_of``.

    Example:
        >>> padded_width(np.array([3, 9]), multiple_of=8)
        16
    """
    width = int(lengths.max(initial=0))
    if multiple_of is None:
        return width
    if multiple_of < 1:
        raise OptionError(f"pad_to_multiple_of is {multiple_of}; it must be at least 1")
    return -(-width // multiple_of) * multiple_of


def pad(
    rows: Ragged, value: int, width: int | None = None, side: Side = "right"
) -> np.ndarray[Any, Any]:
    """Pad rows to a common width.

    Args:
        rows: the rows.
        value: the padding value.
        width: defaults to the length of the longest row.
        side: the side on which padding is added.

    Returns:
        A new writable array of shape (rows, width): int64, or float64 for rows of floats.

    Raises:
        TokenError: when a row is longer than ``width``.

    Example:
        >>> pad(Ragged(np.array([5, 6, 7]), np.array([0, 2, 3])), value=0, side="left").tolist()
        [[5, 6], [0, 7]]
    """
    from maskplug.kernels.pad import pad_into

    longest = padded_width(rows.lengths)
    width = longest if width is None else width
    if width < longest:
        raise TokenError(f"a row of {longest} tokens does not fit into a width of {width}")
    dtype: type[Any] = np.float64 if rows.values.dtype.kind == "f" else np.int64
    if len(rows.values) == len(rows) * width:  # nothing to pad, as in packed pre-training
        return rows.values.astype(dtype).reshape(len(rows), width)
    out = np.empty((len(rows), width), dtype)
    # Bits of floats are copied as integers, so that the kernel is compiled for one type.
    bits = readonly(rows.values, dtype).view(np.int64)
    fill = int(dtype(value).view(np.int64))
    pad_into(out.view(np.int64), bits, rows.offsets, fill, side == "left")
    return out


def visible(lengths: IntArray, width: int, side: Side = "right") -> IntArray:
    """Return the attention mask of padded rows.

    Returns:
        int64 of shape (rows, width), 1 = token, 0 = padding.

    Example:
        >>> visible(np.array([2, 1]), 2).tolist()
        [[1, 1], [1, 0]]
    """
    from maskplug.kernels.pad import visible_into

    out = np.empty((len(lengths), width), np.int64)
    visible_into(out, readonly(lengths, np.int64), side == "left")
    return out
