"""Compiled inner loops, imported when parts first run and never by ``import maskplug``.

Every kernel is serial (numba's thread pool would kill forked data loader workers), releases the
GIL, and is cached on disk for other processes.

Compilation takes seconds, so kernels avoid what is slow to compile. Copy slices in a loop: ``a[i:j]
= b[k:l]`` compiles to the same code, but takes over a second for the text of numba's error message.
numpy's sorting and searching functions take half a second each. Each kernel is called with one
signature only: ``readonly`` arrays, no defaults.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

from maskplug.kernels.cache import NO_FOLDER, KernelCache, warn_once

# At level DEBUG, which fairseq sets, numba logs every instruction that it compiles. To see these
# logs, set the level of numba's logger.
if logging.getLogger("numba").level == logging.NOTSET:
    logging.getLogger("numba").setLevel(logging.INFO)

Function = TypeVar("Function", bound=Callable[..., Any])

#: Kernels need neither checks for division by zero nor wrappers for C callers.
FEWER: dict[str, Any] = {"error_model": "numpy", "no_cfunc_wrapper": True}


def kernel(function: Function) -> Function:
    """Compile ``function``: serial, without the GIL, cached on disk."""
    return compiled(function, nogil=True)


def inlined(function: Function) -> Function:
    """Compile a few lines that are called in several places of one kernel.

    The compiler inlines functions that are called once, and calls the others; with array arguments
    such a call takes longer than writing ten tokens.
    """
    return compiled(function, nogil=True, inline="always")


def compiled(function: Function, **options: Any) -> Function:
    """Compile ``function`` with these options, and cache it on disk if possible."""
    dispatcher = numba.njit(**{**FEWER, **options})(function)
    _share_compilation(dispatcher)
    try:
        dispatcher._cache = KernelCache(function)
    except RuntimeError:  # numba found no writable folder
        warn_once(NO_FOLDER)
    return cast(Function, dispatcher)


def _share_compilation(dispatcher: Any) -> None:
    """Share one compilation among calls from other kernels with different literal numbers.

    Numba would compile ``fill(words, 4, key, 0)`` and ``fill(words, 4, key, 1)`` separately.
    """
    template = dispatcher.get_call_template
    plain: Callable[[Any], Any] = numba.types.unliteral

    def for_any_number(args: Any, kws: Any) -> Any:
        named = {name: plain(kind) for name, kind in dict(kws).items()}
        return template(tuple(map(plain, args)), named)

    dispatcher.get_call_template = for_any_number
