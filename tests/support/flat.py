"""Rows as flat, read-only arrays: the arguments of kernels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from maskplug.types import offsets_of, readonly


def integers(values: Any) -> Any:
    """Return int64 values."""
    return readonly(values, np.int64)


def stream_keys(values: Any) -> Any:
    """Return uint64 values."""
    return readonly(values, np.uint64)


def row_offsets(counts: Sequence[int]) -> Any:
    """Return the offsets of rows of these lengths: int64."""
    return integers(offsets_of(counts))


def joined(rows: Sequence[Sequence[Any]]) -> list[Any]:
    """Return the values of all rows in one list."""
    return [value for row in rows for value in row]


def flat(rows: Sequence[Sequence[Any]], dtype: Any = np.int64) -> tuple[Any, Any]:
    """Return the values of all rows, and their row offsets."""
    return readonly(joined(rows), dtype), row_offsets([len(row) for row in rows])
