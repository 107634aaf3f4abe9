"""Ragged rows to padded arrays."""

from __future__ import annotations

from maskplug.kernels import kernel
from maskplug.types import IntArray


@kernel
def pad_into(out: IntArray, values: IntArray, offsets: IntArray, fill: int, left: bool) -> None:
    """Fill ``out`` with ``fill`` and copy each row into it, aligned right if ``left`` is padded.

    Rows are sliced before the copy, because a loop over a slice from its start compiles to a memory
    copy; with sums as indices it is six times slower. Any 64-bit dtype can be viewed as integers.
    """
    out[:] = fill
    width = out.shape[1]
    for row in range(len(offsets) - 1):
        tokens = values[offsets[row] : offsets[row + 1]]
        line = out[row, width - len(tokens) :] if left else out[row]
        for i in range(len(tokens)):
            line[i] = tokens[i]


@kernel
def visible_into(out: IntArray, lengths: IntArray, left: bool) -> None:
    """Write 1 for each token of a row of ``out``, 0 for its padding."""
    width = out.shape[1]
    for row in range(len(lengths)):
        shift = width - lengths[row] if left else 0
        for i in range(width):
            out[row, i] = shift <= i < shift + lengths[row]
