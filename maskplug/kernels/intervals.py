"""Rows of intervals [lo, hi): intersection, union, complement, counts and matrices.

Arrays of intervals are int32 of shape (rows, k): sorted, disjoint, not touching; unused ones are at
the end, as [n, n) for n keys. Functions that return intervals also return the largest number of
intervals of a row.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from maskplug.kernels import kernel
from maskplug.types import BoolArray, Bounds, IntArray


@kernel
def tidy(lo: IntArray, hi: IntArray, n: int) -> tuple[Bounds, Bounds, int]:
    """Clip intervals in any order to [0, n), sort them, and merge those that overlap or touch."""
    rows, k = lo.shape
    out_lo = np.full((rows, k), n, np.int32)
    out_hi = np.full((rows, k), n, np.int32)
    a = np.empty(k, np.int64)
    b = np.empty(k, np.int64)
    most = 0
    for row in range(rows):
        count = 0
        for i in range(k):
            start = max(lo[row, i], 0)
            end = min(hi[row, i], n)
            if start >= end:
                continue
            at = count
            while at > 0 and a[at - 1] > start:  # insertion sort: few intervals, mostly sorted
                a[at] = a[at - 1]
                b[at] = b[at - 1]
                at -= 1
            a[at] = start
            b[at] = end
            count += 1
        used = 0
        for i in range(count):
            if used > 0 and a[i] <= out_hi[row, used - 1]:
                out_hi[row, used - 1] = max(out_hi[row, used - 1], np.int32(b[i]))
            else:
                out_lo[row, used] = a[i]
                out_hi[row, used] = b[i]
                used += 1
        most = max(most, used)
    return out_lo, out_hi, most


@kernel
def both(lo1: Bounds, hi1: Bounds, lo2: Bounds, hi2: Bounds, n: int) -> tuple[Bounds, Bounds, int]:
    """Return the intersection of intervals."""
    rows, k1 = lo1.shape
    k2 = lo2.shape[1]
    lo = np.full((rows, k1 + k2 - 1), n, np.int32)
    hi = np.full((rows, k1 + k2 - 1), n, np.int32)
    most = 0
    for row in range(rows):
        i = j = used = 0
        while i < k1 and j < k2 and lo1[row, i] < hi1[row, i] and lo2[row, j] < hi2[row, j]:
            start = max(lo1[row, i], lo2[row, j])
            end = min(hi1[row, i], hi2[row, j])
            if start < end:
                lo[row, used] = start
                hi[row, used] = end
                used += 1
            if hi1[row, i] < hi2[row, j]:
                i += 1
            else:
                j += 1
        most = max(most, used)
    return lo, hi, most


@kernel
def either(
    lo1: Bounds, hi1: Bounds, lo2: Bounds, hi2: Bounds, n: int
) -> tuple[Bounds, Bounds, int]:
    """Return the union of intervals."""
    rows, k1 = lo1.shape
    k2 = lo2.shape[1]
    lo = np.full((rows, k1 + k2), n, np.int32)
    hi = np.full((rows, k1 + k2), n, np.int32)
    most = 0
    for row in range(rows):
        i = j = used = 0
        while True:
            first = i < k1 and lo1[row, i] < hi1[row, i]
            second = j < k2 and lo2[row, j] < hi2[row, j]
            if not first and not second:
                break
            if first and (not second or lo1[row, i] <= lo2[row, j]):
                start, end = lo1[row, i], hi1[row, i]
                i += 1
            else:
                start, end = lo2[row, j], hi2[row, j]
                j += 1
            if used > 0 and start <= hi[row, used - 1]:
                hi[row, used - 1] = max(hi[row, used - 1], end)
            else:
                lo[row, used] = start
                hi[row, used] = end
                used += 1
        most = max(most, used)
    return lo, hi, most


@kernel
def rest(lo: Bounds, hi: Bounds, n: int) -> tuple[Bounds, Bounds, int]:
    """Return the complement of intervals in [0, n)."""
    rows, k = lo.shape
    out_lo = np.full((rows, k + 1), n, np.int32)
    out_hi = np.full((rows, k + 1), n, np.int32)
    most = 0
    for row in range(rows):
        at = used = 0
        for i in range(k):
            if lo[row, i] >= hi[row, i]:
                break
            if lo[row, i] > at:
                out_lo[row, used] = at
                out_hi[row, used] = lo[row, i]
                used += 1
            at = hi[row, i]
        if at < n:
            out_lo[row, used] = at
            used += 1
        most = max(most, used)
    return out_lo, out_hi, most


@kernel
def count(
    lo: Bounds, hi: Bounds, keys: BoolArray, which: IntArray, step: int, phase: Bounds
) -> IntArray:
    """Return the number of visible keys of each row.

    Args:
        lo, hi: (rows, k).
        keys: (m, n), the allowed keys, or (1, 0) for all of them.
        which: (rows,), the row of ``keys`` for each row.
        step, phase: a key is visible if ``(key - phase[row]) % step == 0``.
    """
    rows, k = lo.shape
    m, n = keys.shape
    out = np.zeros(rows, np.int64)
    before = np.zeros((m, n + 1), np.int64)  # prefix sums
    for i in range(m if step == 1 else 0):
        for key in range(n):
            before[i, key + 1] = before[i, key] + keys[i, key]
    for row in range(rows):
        seen = keys[which[row]]
        for i in range(k):
            start, end = lo[row, i], hi[row, i]
            if step == 1:
                kept = before[which[row], end] - before[which[row], start] if n > 0 else end - start
                out[row] += kept
                continue
            first = start + (phase[row] - start) % step
            for key in range(first, end, step):
                out[row] += len(seen) == 0 or seen[key]
    return out


@kernel
def paint(
    out: BoolArray,
    lo: Bounds,
    hi: Bounds,
    keys: BoolArray,
    which: IntArray,
    step: int,
    phase: Bounds,
) -> None:
    """Write True into ``out``, (rows, n), for visible keys; see :func:`count`."""
    rows, k = lo.shape
    for row in range(rows):
        seen = keys[which[row]]
        for i in range(k):
            start, end = lo[row, i], hi[row, i]
            if len(seen) == 0 and step == 1:
                out[row, start:end] = True
                continue
            first = start + (phase[row] - start) % step
            for key in range(first, end, step):
                out[row, key] = len(seen) == 0 or seen[key]


@kernel
def split(
    lo: Bounds,
    hi: Bounds,
    keys: BoolArray,
    which: IntArray,
    step: int,
    phase: Bounds,
    n: int,
    room: int,
) -> tuple[Bounds, Bounds, int]:
    """Return the runs of visible keys; at most ``room`` per row, see :func:`grown`.

    Args:
        lo, hi, keys, which, step, phase: as for :func:`count`.
        n: number of keys.
        room: number of runs kept per row; the returned maximum counts all.
    """
    rows, k = lo.shape
    out_lo = np.full((rows, room), n, np.int32)
    out_hi = np.full((rows, room), n, np.int32)
    most = 0
    for row in range(rows):
        seen = keys[which[row]]
        used = 0
        for i in range(k):
            start, end = lo[row, i], hi[row, i]
            last = -1  # the key after the current run
            first = start + (phase[row] - start) % step
            for key in range(first, end, step):
                if len(seen) > 0 and not seen[key]:
                    continue
                if key != last:
                    if used < room:
                        out_lo[row, used] = key
                    used += 1
                if used <= room:
                    out_hi[row, used - 1] = key + 1
                last = key + 1
        most = max(most, used)
    return out_lo, out_hi, most


@kernel
def runs(mask: BoolArray, room: int) -> tuple[Bounds, Bounds, int]:
    """Return the runs of True in each row of ``mask``, (rows, n); see :func:`split`."""
    rows, n = mask.shape
    lo = np.full((rows, room), n, np.int32)
    hi = np.full((rows, room), n, np.int32)
    most = 0
    for row in range(rows):
        used = 0
        for key in range(n):
            if mask[row, key] and (key == 0 or not mask[row, key - 1]):
                if used < room:
                    lo[row, used] = key
                used += 1
            if mask[row, key] and used <= room:
                hi[row, used - 1] = key + 1
        most = max(most, used)
    return lo, hi, most


def grown(function: Any, *arguments: Any) -> tuple[Bounds, Bounds, int]:
    """Call a kernel with room for few runs, and again with enough if that was too little."""
    room = 8
    lo, hi, most = function(*arguments, room)
    if most > room:
        lo, hi, most = function(*arguments, most)
    return lo, hi, most
