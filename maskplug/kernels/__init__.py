"""Compiled inner loops. Imported by the parts when they first run, never by ``import maskplug``.

Every kernel is serial (numba's thread pool would kill forked data-loading workers), releases the
interpreter lock, and caches its machine code beside the source.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """Compile ``function``: serial, without the interpreter lock, cached on disk."""
    return cast(Function, numba.njit(nogil=True, cache=True, no_cfunc_wrapper=True, error_model="numpy")(function))
