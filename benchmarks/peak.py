"""Measure the peak memory of one call, in a child process."""

from __future__ import annotations

import ctypes
import gc
import os
from collections.abc import Callable
from pathlib import Path

RESET = Path("/proc/self/clear_refs")
#: Of glibc's mallopt: arrays of at least this many bytes get their own pages, which are returned to
#: the system when they are freed, so that no call reuses the memory of another one.
M_MMAP_THRESHOLD, BYTES = -3, 65536


def peak(call: Callable[[], object]) -> float | None:
    """Return the MiB that a call needs at its peak beyond the memory in use; None outside Linux.

    The kernel's own account counts the memory of every allocator.

    Raises:
        RuntimeError: if the call fails in the child process.
    """
    if not RESET.exists():
        return None
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(write, str(_measured(call)).encode())
            os._exit(0)
        finally:
            os._exit(1)
    os.close(write)
    with os.fdopen(read) as pipe:
        text = pipe.read()
    if os.waitpid(child, 0)[1] or not text:
        raise RuntimeError("the call failed in the process that measures its peak memory")
    return float(text)


def _measured(call: Callable[[], object]) -> float:
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):  # not in musl, which returns memory by itself
        libc.mallopt(M_MMAP_THRESHOLD, BYTES)
    call()  # a child maps pages of libraries again when they are first used
    gc.collect()
    if hasattr(libc, "malloc_trim"):
        libc.malloc_trim(0)
    RESET.write_text("5")  # resets the peak
    before = _status("VmRSS")
    call()
    return (_status("VmHWM") - before) / 1024


def _status(name: str) -> int:
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(name))
