"""What XLNet reads of a permutation: who may not see whom, and which tokens are predicted.

The strategy ``permutation`` gives each input its ``order``; a collator pads these rows with -1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskplug.errors import TokenError
from maskplug.targets import IGNORE
from maskplug.types import IntArray, readonly

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
    """Who may *not* attend to whom, with XLNet's polarity: 1 = may not, 0 = may.

    Nobody sees a predicted token but those that come later in the order: token i may not attend to
    token j if j is predicted and ``order[i] <= order[j]``. So a predicted token does not see
    itself, of two predicted tokens exactly one sees the other, and tokens that are not predicted,
    whose order is -1, see each other and no predicted one. Padding counts as not predicted: it is
    the attention mask's to hide.

    Args:
        order: int64 of shape (batch, length): the rank of each predicted token, from 0; -1
            elsewhere, padding included.
        dtype: of the result.

    Returns:
        Of shape (batch, length, length); row i, column j.

    Raises:
        TokenError: when the order is no matrix of integers.

    Source: Yang et al., "XLNet", 2019, section 2.3 (the query stream).

    Example:
        >>> perm_mask(np.array([[-1, 1, 0]])).astype(int).tolist()
        [[[0, 1, 1], [0, 1, 0], [0, 1, 1]]]
    """
    from maskplug.kernels.order import unseen_into

    order = readonly(_checked(order), np.int64)
    out = np.empty((*order.shape, order.shape[1]), dtype)
    unseen_into(out, order)
    return out


def _slots(order: IntArray) -> tuple[IntArray, IntArray, IntArray, tuple[int, int]]:
    """Row, slot and position of every predicted token, and (batch, most of them in a row)."""
    rows, positions = np.nonzero(order >= 0)
    counts = np.bincount(rows, minlength=len(order))
    firsts = np.cumsum(counts) - counts
    slots = np.arange(len(rows)) - firsts[rows]
    return rows, slots, positions, (len(order), int(counts.max(initial=0)))


def target_mapping(order: IntArray, dtype: type[Floats] = np.float64) -> NDArray[Floats]:
    """Which tokens are predicted: a one-hot row for each, in the order of their positions.

    Args:
        order: as for :func:`perm_mask`.
        dtype: of the result.

    Returns:
        Of shape (batch, most predicted tokens in a row, length). Rows with fewer of them
        end with rows of zeros, whose label :func:`target_labels` makes -100.

    Raises:
        TokenError: when the order is no matrix of integers.

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
    """The label of each row of :func:`target_mapping`.

    Args:
        order: as for :func:`perm_mask`.
        labels: what to predict at each token, of the shape of ``order``.

    Returns:
        int64 of shape (batch, most predicted tokens in a row); -100 for rows of zeros.

    Raises:
        TokenError: when the order is no matrix of integers, or the labels have another shape.

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
