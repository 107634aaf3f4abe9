"""Intervals as kernels take them that go from mask to mask: one for each sample and head."""

from __future__ import annotations

from math import prod

import numpy as np

from maskplug.attention.intervals import Bounds, Intervals
from maskplug.types import BoolArray, IntArray, readonly


def flat(rows: Intervals) -> tuple[Bounds, Bounds, BoolArray, IntArray]:
    """The bounds, the keys, and which of these hold for each mask.

    Returns:
        ``lo``, ``hi``, (masks * queries, k); ``keys``, (m, n_keys), all True where the mask names
        none; and ``which``, (masks,), the row of ``keys`` that holds for each mask.
    """
    lo, hi = rows.spread(rows.shape)
    keys = np.ones((1, 1, rows.n_keys), np.bool_) if rows.keys is None else rows.keys
    number = np.arange(prod(keys.shape[:2])).reshape(keys.shape[:2])
    which = readonly(np.broadcast_to(number, rows.shape[:2]).reshape(-1), np.int64)
    return lo, hi, readonly(keys.reshape(number.size, rows.n_keys), np.bool_), which


def phase_of(rows: Intervals) -> Bounds:
    """Where each query's steps begin: int32 of shape (batch or 1, 1, queries or 1)."""
    return readonly(np.zeros((1, 1, 1)), np.int32) if rows.phase is None else rows.phase
