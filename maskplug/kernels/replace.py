"""Overwrite selected spans: masks and random ids in the inputs, original ids in the labels."""

from __future__ import annotations

import numpy as np

from maskplug.kernels import kernel
from maskplug.kernels.philox import SHIFT, fill, room
from maskplug.types import BoolArray, IntArray, UintArray, Words


@kernel
def most_tokens(lengths: IntArray, offsets: IntArray) -> int:
    """Return the maximum number of selected tokens in a row."""
    most = 0
    for row in range(len(offsets) - 1):
        size = 0
        for s in range(offsets[row], offsets[row + 1]):
            size += lengths[s]
        most = max(most, size)
    return most


@kernel
def groups(
    places: UintArray,
    numbers: Words,
    starts: IntArray,
    lengths: IntArray,
    first: int,
    end: int,
    begins: BoolArray,
    apart: bool,
) -> int:
    """Write the position and the group of each token of these spans; return the number of tokens.

    A group starts at the first token of a span and wherever ``begins`` is True; ``begins`` may be
    empty. If ``apart``, each token is a group.
    """
    count = np.uint64(0)
    group = -1
    for s in range(first, end):
        start = starts[s]
        for i in range(start, start + lengths[s]):
            group += int(apart or i == start or (len(begins) > 0 and begins[i]))
            places[count] = i
            numbers[count] = group
            count += np.uint64(1)
    return np.int64(count)  # type: ignore[return-value]


@kernel
def mix(
    out: IntArray,
    starts: IntArray,
    lengths: IntArray,
    offsets: IntArray,
    begins: BoolArray,
    apart: bool,
    kind_keys: UintArray,
    id_keys: UintArray,
    mask_below: np.uint64,
    random_below: np.uint64,
    mask_id: int,
    ordinary: IntArray,
) -> None:
    """Overwrite ``out`` in place with one decision per group; see :func:`groups`.

    Thresholds are probabilities times 2**32; the second one is cumulative. There must be at least
    one ordinary id.
    """
    most = most_tokens(lengths, offsets)
    places = np.empty(most, np.uint64)
    numbers = np.empty(most, np.uint32)
    kinds = room(most)
    ids = room(most)
    for row in range(len(kind_keys)):
        size = groups(
            places, numbers, starts, lengths, offsets[row], offsets[row + 1], begins, apart
        )
        fill(kinds, size, kind_keys[row], 0)
        fill(ids, size, id_keys[row], 0)
        for k in range(size):
            # Compute all values, to avoid branches that are mispredicted at random.
            kind = np.uint64(kinds[numbers[k]])
            drawn = ordinary[(np.uint64(ids[k]) * np.uint64(len(ordinary))) >> SHIFT]
            kept = drawn if kind < random_below else out[places[k]]
            out[places[k]] = mask_id if kind < mask_below else kept


@kernel
def copy_spans(out: IntArray, ids: IntArray, starts: IntArray, lengths: IntArray) -> None:
    """Copy the ids of the spans to the same positions of ``out``."""
    for s in range(len(starts)):
        for i in range(starts[s], starts[s] + lengths[s]):
            out[i] = ids[i]
