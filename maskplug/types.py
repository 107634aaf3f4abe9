"""Array types of the core, and helpers for them."""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
UintArray = NDArray[np.uint64]
Words = NDArray[np.uint32]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Kinds = NDArray[np.uint8]
Bounds = NDArray[np.int32]

Scalar = TypeVar("Scalar", bound=np.generic)

#: The greatest int64.
MAX = 2**63 - 1
#: Bits of ``ndarray.flags.num``, which is read faster than three flags by their names.
CONTIGUOUS, OWNER, WRITABLE = 0x001, 0x004, 0x400
STATE = CONTIGUOUS | OWNER | WRITABLE


def readonly(array: Any, dtype: type[Scalar]) -> NDArray[Scalar]:
    """Return a read-only, contiguous view of ``array`` as ``dtype``; copy only if necessary.

    With one layout for all arrays, every kernel is compiled for one signature only.
    """
    if (
        type(array) is np.ndarray
        and array.dtype.type is dtype
        and array.flags.num & STATE == CONTIGUOUS  # an owner could be made writable
        and array.ndim
        and array.dtype.isnative
    ):
        return array
    view = np.ascontiguousarray(array, dtype=dtype).view()
    view.setflags(write=False)
    return view


def integers(value: Any) -> IntArray | None:
    """Return integers of any shape as int64, or None for anything else.

    None is returned for bools, floats, text, nested rows of different lengths, and integers that do
    not fit into int64.

    Example:
        >>> integers([1, 2]).tolist(), integers([1.5]), integers(np.array([2**63], np.uint64))
        ([1, 2], None, None)
    """
    try:
        array = np.asarray(value)
    except Exception:  # numpy asks the object itself, which may raise anything
        return None
    if array.dtype.type is np.int64:
        return array
    if array.dtype.kind not in "iu" and array.size:
        return None
    if array.dtype.kind == "u" and array.dtype.itemsize == 8 and (array > MAX).any():
        return None
    return array.astype(np.int64) if array.dtype.kind in "iuf" else None


@cache
def _ones(power: int) -> IntArray:
    return readonly(np.ones(1 << power, np.int64), np.int64)


def ones(size: int) -> IntArray:
    """Return a read-only view of shared ones: int64.

    Example:
        >>> ones(3).tolist()
        [1, 1, 1]
    """
    return _ones(max(int(size) - 1, 1023).bit_length())[:size]


def per_sample(value: Any, dtype: type[Scalar], samples: int) -> NDArray[Scalar]:
    """Return one value per sample: a scalar is repeated, an array must have that length.

    Raises:
        ValueError: when the array has another shape.
    """
    array = np.asarray(value, dtype)
    if array.shape == (samples,):
        return array
    if array.ndim:
        return np.broadcast_to(array, (samples,))
    # Twice as fast as np.full for small arrays.
    out = np.empty(samples, dtype)
    out.fill(array)
    return out


def lengths_of(offsets: IntArray) -> IntArray:
    """Return row lengths from row offsets: int64."""
    return offsets[1:] - offsets[:-1]


def offsets_of(lengths: Any) -> IntArray:
    """Return row offsets (starting at 0) from row lengths: int64."""
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def below(words: Words, bounds: IntArray | np.uint64) -> IntArray:
    """Map random 32-bit words to integers from 0 to ``bounds`` - 1: int64.

    Example:
        >>> below(np.array([0, 2**31, 2**32 - 1], np.uint32), np.array([7, 7, 7])).tolist()
        [0, 3, 6]
    """
    wide = words.astype(np.uint64) * bounds.astype(np.uint64)
    return (wide >> np.uint64(32)).astype(np.int64)


def thresholds(chances: Any) -> UintArray:
    """Return probabilities times 2**32, rounded, to compare random 32-bit words with.

    Example:
        >>> thresholds(np.array([0.0, 0.5, 1.0])).tolist()
        [0, 2147483648, 4294967296]
    """
    return np.round(np.asarray(chances, np.float64) * 2.0**32).astype(np.uint64)


def cdf_thresholds(probs: Any) -> UintArray:
    """Return thresholds of the cumulative probabilities; the last is 2**32.

    Example:
        >>> cdf_thresholds([0.75, 0.25]).tolist()
        [3221225472, 4294967296]
    """
    limits = thresholds(np.cumsum(probs))
    limits[-1] = 1 << 32
    return readonly(limits, np.uint64)
