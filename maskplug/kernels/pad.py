"""Ragged to padded, written once."""

from __future__ import annotations

from typing import Any

import numpy as np

from maskplug.arrays import IntArray
from maskplug.kernels import kernel

Numbers = np.ndarray[Any, Any]


@kernel
def pad_into(out: Numbers, values: Numbers, offsets: IntArray, left: bool) -> None:
    """Copy each row into its row of ``out``, at the right end when ``left`` is padded."""
    width = out.shape[1]
    for row in range(len(offsets) - 1):
        start = offsets[row]
        count = offsets[row + 1] - start
        shift = width - count if left else 0
        for i in range(count):
            out[row, shift + i] = values[start + i]
