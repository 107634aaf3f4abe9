"""Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011)."""

from __future__ import annotations

import numpy as np

from maskplug.kernels import inlined, kernel
from maskplug.types import IntArray, UintArray, Words

M0 = np.uint64(0xD2511F53)
M1 = np.uint64(0xCD9E8D57)
W0 = np.uint32(0x9E3779B9)
W1 = np.uint32(0xBB67AE85)
LOW = np.uint64(0xFFFFFFFF)
SHIFT = np.uint64(32)
GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@inlined
def block(
    c0: np.uint32, c1: np.uint32, c2: np.uint32, c3: np.uint32, k0: np.uint32, k1: np.uint32
) -> tuple[np.uint32, np.uint32, np.uint32, np.uint32]:
    """Return the four 32-bit words of counter ``(c0, c1, c2, c3)`` under key ``(k0, k1)``."""
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


#: The number of words that :func:`fill` may write beyond ``count``.
SPARE = 63


@kernel
def fill(out: Words, count: int, key: np.uint64, draw: int) -> None:
    """Write words 0 … count-1 of a stream into ``out``, a buffer of :func:`room`.

    Blocks are computed in groups of sixteen: a loop of fixed length is always vectorized, and ten
    times faster.
    """
    k0 = np.uint32(key & LOW)
    k1 = np.uint32(key >> SHIFT)
    zero = np.uint32(0)
    for group in range((count + SPARE) // (SPARE + 1)):
        for i in range(16):
            index = np.uint64(16 * group + i)
            a, b, c, d = block(
                np.uint32(index & LOW), np.uint32(index >> SHIFT), np.uint32(draw), zero, k0, k1
            )
            at = 4 * (16 * group + i)
            out[at] = a
            out[at + 1] = b
            out[at + 2] = c
            out[at + 3] = d


@kernel
def room(count: int) -> Words:
    """Return a buffer for ``count`` words of a stream."""
    return np.empty(count + SPARE, np.uint32)


@kernel
def first_word(key: np.uint64, draw: int) -> np.uint32:
    """Return word 0 of a stream."""
    zero = np.uint32(0)
    return block(zero, zero, np.uint32(draw), zero, np.uint32(key & LOW), np.uint32(key >> SHIFT))[
        0
    ]


@kernel
def longest(offsets: IntArray) -> int:
    """Return the length of the longest row."""
    most = 0
    for row in range(len(offsets) - 1):
        most = max(most, offsets[row + 1] - offsets[row])
    return most


@kernel
def streams(keys: UintArray, offsets: IntArray, draw: int) -> Words:
    """Return words 0 … n-1 of each row's stream, concatenated: uint32, ``offsets[-1]`` long."""
    out = np.empty(offsets[-1], np.uint32)
    buffer = room(longest(offsets))
    for row in range(len(keys)):
        start = np.uint64(offsets[row])
        count = offsets[row + 1] - offsets[row]
        fill(buffer, count, keys[row], draw)
        for i in range(count):
            out[start + np.uint64(i)] = buffer[i]
    return out


@kernel
def mix64(z: np.uint64) -> np.uint64:
    """Apply the finalizer of SplitMix64, a bijection of the 64-bit integers."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@kernel
def take_in(state: np.uint64, position: int, word: np.uint64) -> np.uint64:
    """Apply one step of the key hash."""
    return mix64(state ^ mix64(word + np.uint64(position) * GOLDEN))


@kernel
def sample_hashes(seed: np.uint64, times: IntArray, keys: UintArray, out: UintArray) -> None:
    """Write the hash of the seed, and of each row's time and key."""
    first = take_in(np.uint64(0), 1, seed)
    for row in range(len(keys)):
        out[row] = take_in(take_in(first, 2, np.uint64(times[row])), 3, keys[row])


@kernel
def stream_hashes(samples: UintArray, purpose: np.uint64, out: UintArray) -> None:
    """Write the keys of streams: the hashes of :func:`sample_hashes` combined with a purpose."""
    for row in range(len(samples)):
        out[row] = take_in(samples[row], 4, purpose)


@kernel
def absorb(states: UintArray, position: int, words: UintArray) -> UintArray:
    """Apply one step of the key hash to each row; a single state or word applies to all rows."""
    rows = len(words) if len(states) == 1 else len(states)
    out = np.empty(rows, np.uint64)
    for row in range(rows):
        state = states[row if len(states) > 1 else 0]
        word = words[row if len(words) > 1 else 0]
        out[row] = take_in(state, position, word)
    return out


@kernel
def content_keys(ids: IntArray, offsets: IntArray) -> UintArray:
    """Return a 64-bit hash of each row's ids and length."""
    keys = np.empty(len(offsets) - 1, np.uint64)
    for row in range(len(keys)):
        start = np.uint64(offsets[row])
        count = offsets[row + 1] - offsets[row]
        # A sum has no dependency between the hashes of successive tokens.
        total = np.uint64(count)
        for i in range(count):
            place = np.uint64(i)
            total += mix64(np.uint64(ids[start + place]) + (place + np.uint64(1)) * GOLDEN)
        keys[row] = mix64(total)
    return keys
