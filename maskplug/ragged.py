"""Rows of different lengths in one flat array, as in Arrow list columns."""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from operator import is_
from typing import Any

import numpy as np

from maskplug.errors import TokenError, shortened
from maskplug.types import IntArray, lengths_of, readonly

#: Array types that ``np.concatenate`` accepts without conversion.
_ARRAYS = {np.ndarray, np.memmap}


def ranges(firsts: IntArray, lengths: IntArray) -> tuple[IntArray, IntArray]:
    """Return the concatenated ranges ``first, …, first + length - 1``, and their offsets.

    Example:
        >>> numbers, offsets = ranges(np.array([7, 3]), np.array([2, 3]))
        >>> numbers.tolist(), offsets.tolist()
        ([7, 8, 3, 4, 5], [0, 2, 5])
    """
    from maskplug.kernels.rows import ranges as numbered

    numbers, offsets = numbered(readonly(firsts, np.int64), readonly(lengths, np.int64))
    return numbers, offsets


def gather(offsets: IntArray, rows: IntArray) -> tuple[IntArray, IntArray]:
    """Return the flat indices of some rows, and the offsets of these rows alone.

    Example:
        >>> index, new = gather(np.array([0, 2, 3]), np.array([1, 0]))
        >>> index.tolist(), new.tolist()
        ([2, 0, 1], [0, 1, 3])
    """
    return ranges(offsets[:-1][rows], lengths_of(offsets)[rows])


def flatten(rows: Sequence[Any]) -> tuple[IntArray, IntArray]:
    """Return rows of integers (lists, arrays, anything sized) as flat int64 ids and offsets.

    Raises:
        TokenError: for a row that does not contain integers only.
    """
    try:
        rows = list(rows)
    except TypeError:
        raise TokenError(
            f"rows are {shortened(rows)}; expected a sequence with one row of ids per sample"
        ) from None
    try:
        return _flatten(rows)
    except TokenError:
        plain = [plain_row(row) for row in rows]
        if all(map(is_, plain, rows)):
            raise
        return _flatten(plain)


def plain_row(row: Any) -> Any:
    """Return a wrapped row as a list or a one-dimensional array; other rows unchanged.

    Arrow scalars and arrays and object arrays become lists; arrays of shape (1, length) become
    their single row. Nested lists are unchanged.

    Example:
        >>> plain_row(np.array([[5, 6, 7]])).tolist(), plain_row(np.array([5, 6], object))
        ([5, 6, 7], [5, 6])
    """
    if hasattr(row, "as_py"):
        return row.as_py()
    if hasattr(row, "to_pylist"):
        values = row.to_pylist()
        return values[0] if len(values) == 1 and isinstance(values[0], list) else values
    if isinstance(row, list | tuple):
        arrow = bool(row) and hasattr(row[0], "as_py")
        return [plain_row(value) for value in row] if arrow else row
    if getattr(row, "ndim", 1) == 2 and len(row) == 1:
        return plain_row(row[0])
    objects = str(getattr(row, "dtype", "")) in ("object", "Int64")  # Int64: pandas
    return row.tolist() if objects and row.ndim == 1 else row


def _flatten(rows: list[Any]) -> tuple[IntArray, IntArray]:
    offsets = np.fromiter(accumulate(_lengths(rows), initial=0), np.int64, len(rows) + 1)
    flat = np.empty(offsets[-1], np.int64)
    for i in range(_write_at_once(rows, flat, offsets), len(rows)):
        try:
            _write_row(rows[i], flat, offsets[i], offsets[i + 1])
        except (struct.error, TypeError, ValueError, RuntimeError) as error:
            raise TokenError(
                f"row {i} does not hold integers only: {_fault(rows[i], error)}"
            ) from error
    return flat, offsets


def _lengths(rows: list[Any]) -> list[int]:
    lengths: list[int] = []
    try:
        for row in rows:
            lengths.append(len(row))
    except TypeError as error:
        raise TokenError(f"row {len(lengths)} does not hold integers only: {error}") from error
    return lengths


def _write_at_once(rows: list[Any], flat: IntArray, offsets: IntArray) -> int:
    """Write rows that have one common type; return the number of rows written."""
    kinds = set(map(type, rows))
    # Without the GIL, another thread could change a list while compiled code reads it.
    if kinds == {list} and getattr(sys, "_is_gil_enabled", lambda: True)():  # Python 3.13
        from maskplug.kernels.lists import read_lists

        return int(read_lists(id(rows), flat, offsets))
    if kinds and kinds <= _ARRAYS:
        with suppress(TypeError, ValueError):  # the row-wise path reports the row
            np.concatenate(rows, out=flat, casting="safe")
            return len(rows)
    return 0


def _fault(row: Any, error: Exception) -> str:
    """Describe what is wrong with a row."""
    try:
        shape = tuple(row.shape) if hasattr(row, "shape") else np.shape(row)
    except ValueError:  # lists of different lengths
        shape = (len(row), -1)
    if len(shape) < 2:
        return str(error)
    text = str(shape).replace("-1", "…")
    return f"its shape is {text}; a row has one dimension: pass each of its rows as a sample"


def _write_row(row: Any, flat: IntArray, start: int, stop: int) -> None:
    if isinstance(row, list | tuple):
        # struct is twice as fast as any numpy constructor for lists.
        struct.pack_into(f"{stop - start}q", memoryview(flat.data).cast("B"), 8 * start, *row)
    elif len(row):  # the default dtype of empty arrays is float
        flat[start:stop] = np.asarray(row).astype(np.int64, casting="safe")


@dataclass(frozen=True, eq=False)
class Ragged:
    """Rows of different lengths in one flat array.

    Attributes:
        values: int64 (float64 for weights), the concatenated rows.
        offsets: int64, number of rows + 1; row i is ``values[offsets[i]:offsets[i + 1]]``.
        sources: for rows derived from others: int64, the position of each value in the flat array
            of the original, -1 for a new value. None: all positions are unchanged.

    Example:
        >>> Ragged(np.array([1, 2, 3]), np.array([0, 2, 3])).to_lists()
        [[1, 2], [3]]
    """

    values: np.ndarray[Any, Any]
    offsets: IntArray
    sources: IntArray | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", readonly(self.values, self.values.dtype.type))
        object.__setattr__(self, "offsets", readonly(self.offsets, np.int64))
        if self.sources is not None:
            object.__setattr__(self, "sources", readonly(self.sources, np.int64))
            if len(self.sources) != len(self.values):
                raise TokenError(f"{len(self.values)} values came with {len(self.sources)} sources")

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __iter__(self) -> Iterator[np.ndarray[Any, Any]]:
        return (self.values[a:b] for a, b in zip(self.offsets, self.offsets[1:], strict=False))

    @cached_property
    def lengths(self) -> IntArray:
        """The length of each row: int64."""
        return lengths_of(self.offsets)

    @classmethod
    def of(cls, rows: Sequence[Any]) -> Ragged:
        """Build rows of integers from lists or arrays."""
        return cls(*flatten(rows))

    def take(self, rows: IntArray) -> Ragged:
        """Some rows, in this order, without their sources."""
        index, offsets = gather(self.offsets, rows)
        return Ragged(self.values[index], offsets)

    def to_lists(self) -> list[list[Any]]:
        """The rows as Python lists, for a person to read."""
        return [row.tolist() for row in self]
