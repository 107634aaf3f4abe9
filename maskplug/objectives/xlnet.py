"""XLNet's permutation mask, target mapping and labels.

They are computed from the annotation ``order`` of the strategy ``permutation``; a collator pads its
rows with -1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskplug.errors import TokenError
from maskplug.targets import IGNORE
from maskplug.types import IntArray, offsets_of, readonly

Floats = np.floating[Any]


def _checked(order: Any) -> IntArray:
    array = np.asarray(order)
    if array.ndim != 2 or (array.size and array.dtype.kind not in "iu"):
        raise TokenError(
            f"the order is {array.ndim}-dimensional {array.dtype}; it must be integers of shape "
            "(batch, length), -1 for tokens that are not predicted and for padding"
        )
    return array.astype(np.int64, copy=False)


def perm_mask(order: IntArray, dtype: type[Floats] = np.float64) -> NDArray[Floats]:
    """Return XLNet's permutation mask: 1 = may *not* attend, 0 = may attend.

    Token i may not attend to token j if j is predicted and ``order[i] <= order[j]``. A predicted
    token is thus visible only to those later in the order: it does not see itself, and of two
    predicted tokens exactly one sees the other. Tokens that are not predicted (-1) see each other
    and no predicted token. Padding counts as not predicted; hide it with the attention mask.

    Args:
        order: int64 of shape (batch, length): rank of each predicted token, from 0; -1 elsewhere,
            padding included.
        dtype: dtype of the result.

    Returns:
        Array of shape (batch, length, length), indexed by row i and column j.

    Raises:
        TokenError: if the order is not a two-dimensional array of integers.

    Source: Yang et al., "XLNet", 2019, section 2.3 (the query stream).

    Example:
        >>> perm_mask(np.array([[-1, 1, 0]])).astype(int).tolist()
        [[[0, 1, 1], [0, 1, 0], [0, 1, 1]]]
    """
    from maskplug.kernels.arrange import unseen_into

    order = readonly(_checked(order), np.int64)
    out = np.empty((*order.shape, order.shape[1]), dtype)
    unseen_into(out, order)
    return out


def _slots(order: IntArray) -> tuple[IntArray, IntArray, IntArray, tuple[int, int]]:
    """Return row, slot and position of every predicted token, and (batch, maximum per row)."""
    rows, positions = np.nonzero(order >= 0)
    counts = np.bincount(rows, minlength=len(order))
    slots = np.arange(len(rows)) - offsets_of(counts)[rows]
    return rows, slots, positions, (len(order), int(counts.max(initial=0)))


def target_mapping(order: IntArray, dtype: type[Floats] = np.float64) -> NDArray[Floats]:
    """Return a one-hot row for each predicted token, in the order of their positions.

    Args:
        order: see :func:`perm_mask`.
        dtype: dtype of the result.

    Returns:
        Array of shape (batch, maximum number of predicted tokens in a row, length). Rows with fewer
        end with zeros, for which :func:`target_labels` has -100.

    Raises:
        TokenError: if the order is not a two-dimensional array of integers.

    Example:
        >>> target_mapping(np.array([[-1, 1, 0], [-1, -1, 0]])).astype(int).tolist()
        [[[0, 1, 0], [0, 0, 1]], [[0, 0, 1], [0, 0, 0]]]
    """
    order = _checked(order)
    rows, slots, positions, shape = _slots(order)
    mapping = np.zeros((*shape, order.shape[1]), dtype)
    mapping[rows, slots, positions] = 1.0
    return mapping


def target_labels(order: IntArray, labels: IntArray) -> IntArray:
    """Return the label of each row of :func:`target_mapping`.

    Args:
        order: see :func:`perm_mask`.
        labels: label of each token, of the shape of ``order``.

    Returns:
        int64 of shape (batch, maximum number of predicted tokens in a row); -100 for rows of zeros.

    Raises:
        TokenError: if the order is not a two-dimensional array of integers, or the labels have
            another shape.

    Example:
        >>> target_labels(np.array([[-1, 1, 0], [-1, -1, 0]]), [[-100, 7, 8], [-100, -100, 9]])
        array([[   7,    8],
               [   9, -100]])
    """
    order, labels = _checked(order), np.asarray(labels)
    if labels.shape != order.shape:
        raise TokenError(f"the labels have shape {labels.shape}, the order {order.shape}")
    rows, slots, positions, shape = _slots(order)
    out = np.full(shape, IGNORE, np.int64)
    out[rows, slots] = labels[rows, positions]
    return out
