"""Trace tokens that moved several times back to their original positions."""

from __future__ import annotations

import numpy as np

from maskplug.kernels import kernel
from maskplug.types import BoolArray, IntArray


@kernel
def mark(chosen: BoolArray, sources: IntArray, starts: IntArray, lengths: IntArray) -> None:
    """Write True at the original positions of the tokens in the spans.

    ``sources`` is the original position of each token, -1 for a new one; an empty array means that
    no token has moved.
    """
    for s in range(len(starts)):
        for i in range(starts[s], starts[s] + lengths[s]):
            source = sources[i] if len(sources) > 0 else i
            if source >= 0:
                chosen[np.uint64(source)] = True


@kernel
def follow(moved: IntArray, sources: IntArray) -> IntArray:
    """Return positions before two moves, first by ``sources`` and then by ``moved``."""
    out = np.empty(len(moved), np.int64)
    for i in range(len(moved)):
        # Always read, to avoid a branch that is mispredicted at random.
        first = sources[np.uint64(max(moved[i], 0))]
        out[i] = first if moved[i] >= 0 else -1
    return out
