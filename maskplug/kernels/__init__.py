"""Compiled inner loops. Imported by the parts when they first run, never by ``import maskplug``.

Every kernel is serial (numba's thread pool would kill forked data-loading workers), releases the
interpreter lock, and keeps its machine code on disk, where other processes find it.

Compiling is paid for in seconds, so kernels are spared what is slow to compile. Copy a slice in a
loop of your own: ``a[i:j] = b[k:l]`` compiles to the same code, and first costs more than a second
for the text of numba's error message. Sorting and searching by numpy's names cost half a second
each. Every kernel is called with one signature: ``frozen`` arrays, no defaults.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

from maskplug.errors import MaskplugWarning, described
from maskplug.kernels.cache import KernelCache

# To whoever listens to DEBUG, as everybody does who has imported fairseq, numba writes out every
# instruction that it compiles. Who wants to read that sets the level of numba's own logger.
if logging.getLogger("numba").level == logging.NOTSET:
    logging.getLogger("numba").setLevel(logging.INFO)

Function = TypeVar("Function", bound=Callable[..., Any])

#: What no kernel needs compiled: looking for divisions by zero, and an entry for callers in C.
FEWER: dict[str, Any] = {"error_model": "numpy", "no_cfunc_wrapper": True}


def kernel(function: Function) -> Function:
    """Compile ``function``: serial, without the interpreter lock, cached on disk."""
    return compiled(function, nogil=True)


def inlined(function: Function) -> Function:
    """As :func:`kernel`, for a few lines that several places of one kernel call.

    The compiler copies what is called once, and calls what is called more often; with arrays among
    the arguments such a call takes longer than writing ten tokens.
    """
    return compiled(function, nogil=True, inline="always")


def compiled(function: Function, **options: Any) -> Function:
    """Compile ``function`` with these options, and cache it on disk where that can be."""
    made = numba.njit(**{**FEWER, **options})(function)
    _share_compilation(made)
    try:
        made._cache = KernelCache(function, warn_of_damage, warn_of_no_room)
    except RuntimeError:  # numba found no folder that it may write to
        warn_of_no_cache()
    return cast(Function, made)


def _share_compilation(made: Any) -> None:
    """Let calls from other kernels that write out a number share what is compiled for any number.

    Numba would compile ``fill(words, 4, key, 0)`` and ``fill(words, 4, key, 1)`` apart.
    """
    template = made.get_call_template
    plain: Callable[[Any], Any] = numba.types.unliteral

    def for_any_number(args: Any, kws: Any) -> Any:
        named = {name: plain(kind) for name, kind in dict(kws).items()}
        return template(tuple(map(plain, args)), named)

    made.get_call_template = for_any_number


def warn_of_no_cache() -> None:
    """Say once in a process that compiled kernels are lost when it ends."""
    _warn_once(
        "there is no folder to keep compiled kernels in: neither maskplug's own nor one in the "
        "home folder can be written to. Each process compiles them again, which takes seconds; "
        "set NUMBA_CACHE_DIR to a folder that can be written to"
    )


def warn_of_no_room(kernel: str, folder: str, error: Exception) -> None:
    """Say once in a process that a kernel cannot be kept."""
    _warn_once(
        "compiled kernels cannot be kept in {1}: {0} was the first ({2}). Each process compiles "
        "them again, which takes seconds; make room there, or set NUMBA_CACHE_DIR to a folder that "
        "can be written to",
        kernel,
        folder,
        described(error),
    )


def warn_of_damage(kernel: str, folder: str, error: Exception) -> None:
    """Say once in a process that a kernel on disk is damaged."""
    _warn_once(
        "the compiled kernel {0} in {1} could not be read ({2}): it is compiled again, as is any "
        "other that is damaged, which takes seconds",
        kernel,
        folder,
        described(error),
    )


_told: set[str] = set()


def _warn_once(message: str, *values: str) -> None:
    """Warn, unless this message was given in this process before, whatever its values."""
    if message not in _told:
        _told.add(message)
        warnings.warn(message.format(*values), MaskplugWarning, stacklevel=3)
