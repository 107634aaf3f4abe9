"""Tokens that were moved more than once, traced back to where they stood at first."""

from __future__ import annotations

import numpy as np

from maskplug.kernels import kernel
from maskplug.types import BoolArray, IntArray


@kernel
def mark(chosen: BoolArray, sources: IntArray, starts: IntArray, lengths: IntArray) -> None:
    """Write True where the tokens of the spans stood at first.

    ``sources`` tells where each token stood, -1 for one that is new; an empty array means that
    every token stands where it stood.
    """
    for s in range(len(starts)):
        for i in range(starts[s], starts[s] + lengths[s]):
            source = sources[i] if len(sources) > 0 else i
            if source >= 0:
                chosen[np.uint64(source)] = True


@kernel
def follow(moved: IntArray, sources: IntArray) -> IntArray:
    """Where tokens stood before two moves: first as ``sources`` tells, then as ``moved``."""
    out = np.empty(len(moved), np.int64)
    for i in range(len(moved)):
        # Read always and taken where it was moved: a branch here is mispredicted at random.
        first = sources[np.uint64(max(moved[i], 0))]
        out[i] = first if moved[i] >= 0 else -1
    return out
