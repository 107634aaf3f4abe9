"""Writes over chosen spans: masks and random ids in the inputs, original ids in the labels."""

from __future__ import annotations

import numpy as np

from maskplug.arrays import BoolArray, IntArray, UintArray
from maskplug.kernels import kernel
from maskplug.kernels.philox import streams
from maskplug.kernels.select import below


@kernel
def mix(
    out: IntArray,
    starts: IntArray,
    lengths: IntArray,
    offsets: IntArray,
    begins: BoolArray,
    kind_keys: UintArray,
    id_keys: UintArray,
    mask_below: np.uint64,
    random_below: np.uint64,
    mask_id: int,
    ordinary: IntArray,
) -> None:
    """Overwrite ``out`` in place, span by span; one decision a group.

    A group begins at the first token of a span and wherever ``begins`` is True; an empty ``begins``
    means only there. Thresholds are probabilities times 2**32, the second one cumulative.
    """
    firsts = np.zeros(len(offsets), np.int64)  # of each row, among all chosen tokens
    for row in range(len(kind_keys)):
        size = 0
        for s in range(offsets[row], offsets[row + 1]):
            size += lengths[s]
        firsts[row + 1] = firsts[row] + size
    kinds = streams(kind_keys, firsts, 0)
    ids = streams(id_keys, firsts, 0)
    for row in range(len(kind_keys)):
        group = firsts[row] - 1
        token = firsts[row]
        for s in range(offsets[row], offsets[row + 1]):
            for i in range(starts[s], starts[s] + lengths[s]):
                if i == starts[s] or (len(begins) > 0 and begins[i]):
                    group += 1
                kind = np.uint64(kinds[group])
                if kind < mask_below:
                    out[i] = mask_id
                elif kind < random_below:
                    out[i] = ordinary[below(ids[token], len(ordinary))]
                token += 1


@kernel
def copy_spans(out: IntArray, ids: IntArray, starts: IntArray, lengths: IntArray) -> None:
    """Copy the ids of the spans to the same places of ``out``."""
    for s in range(len(starts)):
        for i in range(starts[s], starts[s] + lengths[s]):
            out[i] = ids[i]
