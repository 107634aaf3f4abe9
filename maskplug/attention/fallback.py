"""The rule for empty rows: queries for which a mask leaves no visible key."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np

from maskplug.attention.call import AttentionCall
from maskplug.attention.documents import Documents
from maskplug.attention.intervals import Intervals
from maskplug.errors import OptionError, shortened
from maskplug.types import BoolArray, IntArray

Fallback = Literal["self", "first", "error"]


def check_fallback(fallback: Any) -> None:
    """Raise an OptionError for a value that is neither None nor a :data:`Fallback`."""
    if fallback is not None and not (isinstance(fallback, str) and fallback in get_args(Fallback)):
        raise OptionError(f"fallback is {shortened(fallback)}; choices: 'self', 'first', 'error'")


def fallback_keys(call: AttentionCall, fallback: Fallback, by_document: bool = False) -> IntArray:
    """Return the index of the key that each query attends to if its row is empty.

    "first" is the first real token of its sample, or of its document if ``by_document``.

    Returns:
        int64 of shape (batch or 1, 1, q_len or 1): indices of keys in the padded row.
    """
    if fallback == "self":
        return np.arange(call.offset, call.q_end)[None, None]
    return Documents.of(call).first_keys if by_document else call.starts[:, None, None]


def fill_empty_rows(
    rows: Intervals,
    call: AttentionCall,
    empty: BoolArray,
    fallback: Fallback,
    by_document: bool = False,
) -> Intervals:
    """Return the mask with one visible key in the rows ``empty``, see :func:`fallback_keys`.

    ``empty`` is bool and broadcasts to (batch, heads, q_len).
    """
    keys = fallback_keys(call, fallback, by_document)
    keys = np.broadcast_to(keys, np.broadcast_shapes(keys.shape, empty.shape))
    ends = np.where(empty, keys + 1, keys)
    return rows | Intervals.of(rows.n_keys, keys[..., None], ends[..., None])


def count_empty_rows(empty: BoolArray) -> str:
    """Return the number of empty rows and the first of them, for messages.

    ``empty`` is bool of shape (batch, heads, q_len), with at least one True.
    """
    sample, _, query = (int(axis[0]) for axis in np.nonzero(empty))
    return f"{int(empty.sum())} of {empty.size} queries (first: sample {sample}, query {query})"
