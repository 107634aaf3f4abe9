"""Read Python lists of ``int`` through CPython's stable C API.

Objects are passed by address, which is their ``id``; nothing depends on their memory layout.
"""

from __future__ import annotations

from typing import Any

import numba

from maskplug.kernels import compiled
from maskplug.types import IntArray

types: Any = numba.types
_item = types.ExternalFunction("PyList_GetItem", types.intp(types.intp, types.intp))
_size = types.ExternalFunction("PyList_Size", types.intp(types.intp))
_number = types.ExternalFunction("PyLong_AsDouble", types.float64(types.intp))
_failed = types.ExternalFunction("PyErr_Occurred", types.intp())
_forget = types.ExternalFunction("PyErr_Clear", types.void())

#: The integers between this and its negative are exact as float64.
EXACT = 2.0**53


@compiled  # not ``kernel``: it must hold the GIL
def read_lists(rows: int, flat: IntArray, offsets: IntArray) -> int:
    """Write lists of integers into a flat array; stop before the first row that cannot be read.

    No Python code runs: ``PyLong_AsDouble`` accepts only ``int`` and its subclasses, such as
    ``bool``, and never calls ``__index__``. So the lists cannot change meanwhile, and items may be
    borrowed references.

    Args:
        rows: the id of a list whose items are all of the exact type ``list``; the caller must hold
            a reference to it.
        flat: int64, output.
        offsets: int64, start of each row in ``flat``.

    Returns:
        The number of rows written. The next row contains other objects than integers, or integers
        of 2**53 or beyond, or has changed its length.
    """
    for r in range(len(offsets) - 1):
        row = _item(rows, r)
        start = offsets[r]
        count = offsets[r + 1] - start
        if _size(row) != count:
            return r
        for i in range(count):
            number = _number(_item(row, i))
            if not -EXACT < number < EXACT or (number == -1.0 and _failed() != 0):
                _forget()
                return r
            flat[start + i] = int(number)
    return len(offsets) - 1
