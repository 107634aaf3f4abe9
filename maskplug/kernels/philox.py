"""Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011)."""

from __future__ import annotations

import numpy as np

from maskplug.arrays import IntArray, UintArray, Words
from maskplug.kernels import kernel

M0 = np.uint64(0xD2511F53)
M1 = np.uint64(0xCD9E8D57)
W0 = np.uint32(0x9E3779B9)
W1 = np.uint32(0xBB67AE85)
LOW = np.uint64(0xFFFFFFFF)
SHIFT = np.uint64(32)
GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@kernel
def block(
    c0: np.uint32, c1: np.uint32, c2: np.uint32, c3: np.uint32, k0: np.uint32, k1: np.uint32
) -> tuple[np.uint32, np.uint32, np.uint32, np.uint32]:
    """The four 32-bit words that counter ``(c0, c1, c2, c3)`` has under key ``(k0, k1)``."""
    for _ in range(10):
        p0 = M0 * np.uint64(c0)
        p1 = M1 * np.uint64(c2)
        n0 = np.uint32(p1 >> SHIFT) ^ c1 ^ k0
        n2 = np.uint32(p0 >> SHIFT) ^ c3 ^ k1
        c1 = np.uint32(p1 & LOW)
        c3 = np.uint32(p0 & LOW)
        c0 = n0
        c2 = n2
        k0 = np.uint32(k0 + W0)
        k1 = np.uint32(k1 + W1)
    return c0, c1, c2, c3


@kernel
def fill(out: Words, count: int, key: np.uint64, draw: int) -> None:
    """Write words 0 … count-1 of a stream into ``out``, which has room for a multiple of four."""
    k0 = np.uint32(key & LOW)
    k1 = np.uint32(key >> SHIFT)
    zero = np.uint32(0)
    for i in range((count + 3) // 4):
        index = np.uint64(i)
        a, b, c, d = block(
            np.uint32(index & LOW), np.uint32(index >> SHIFT), np.uint32(draw), zero, k0, k1
        )
        out[4 * i] = a
        out[4 * i + 1] = b
        out[4 * i + 2] = c
        out[4 * i + 3] = d


@kernel
def longest(offsets: IntArray) -> int:
    """The length of the longest row."""
    most = 0
    for row in range(len(offsets) - 1):
        most = max(most, offsets[row + 1] - offsets[row])
    return most


@kernel
def streams(keys: UintArray, offsets: IntArray, draw: int) -> Words:
    """Words 0 … n-1 of each row's stream, one row after the other: uint32, ``offsets[-1]`` long."""
    out = np.empty(offsets[-1], np.uint32)
    buffer = np.empty(longest(offsets) + 4, np.uint32)
    for row in range(len(keys)):
        start = offsets[row]
        count = offsets[row + 1] - start
        fill(buffer, count, keys[row], draw)
        out[start : start + count] = buffer[:count]
    return out


@kernel
def mix64(z: np.uint64) -> np.uint64:
    """The finaliser of SplitMix64: a bijection of the 64-bit integers."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@kernel
def absorb(states: UintArray, position: int, words: UintArray) -> UintArray:
    """One step of the key hash, row by row; a single state or word serves all rows."""
    rows = len(words) if len(states) == 1 else len(states)
    out = np.empty(rows, np.uint64)
    for row in range(rows):
        state = states[row if len(states) > 1 else 0]
        word = words[row if len(words) > 1 else 0]
        out[row] = mix64(state ^ mix64(word + np.uint64(position) * GOLDEN))
    return out


@kernel
def content_keys(ids: IntArray, offsets: IntArray) -> UintArray:
    """A 64-bit hash of each row's ids and of its length."""
    keys = np.empty(len(offsets) - 1, np.uint64)
    for row in range(len(keys)):
        start = offsets[row]
        # A sum, so that no token's hash has to wait for the one before it.
        total = np.uint64(offsets[row + 1] - start)
        for i in range(start, offsets[row + 1]):
            total += mix64(np.uint64(ids[i]) + np.uint64(i - start + 1) * GOLDEN)
        keys[row] = mix64(total)
    return keys
