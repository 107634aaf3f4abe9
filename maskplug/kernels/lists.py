"""Python lists of ``int``, read in the way in which the interpreter reads them itself.

The functions below belong to CPython's stable C API, so that nothing here depends on what its
objects look like in memory. Objects are passed by their address, which is their ``id``.
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


@compiled  # not ``kernel``: this one must keep the interpreter lock
def read_lists(rows: int, flat: IntArray, offsets: IntArray) -> int:
    """Write lists of integers into a flat array; stops before the first row that it cannot read.

    No Python code runs in here: unlike other conversions, ``PyLong_AsDouble`` refuses whatever is
    not an ``int`` (or a subclass, such as ``bool``) instead of asking it for ``__index__``. So
    nobody can change the lists meanwhile, and items may be borrowed without counting them.

    Args:
        rows: the id of a list of lists, all of them of the very type ``list``, that the caller
            holds.
        flat: int64, to be written.
        offsets: int64, where each row begins in ``flat``.

    Returns:
        How many rows were written. The next one holds something else than integers, or integers
        of 2**53 and beyond, or has another length than it had.
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
