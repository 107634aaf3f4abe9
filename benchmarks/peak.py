"""Peak memory of one call, beyond what the process held before; in a process of its own.

The figure is the kernel's own account, which sees every allocator, and Linux alone keeps it this
way. Processes that are measured hand freed arrays back at once, so that no call finds pages that an
earlier one left.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.timing import Call

ROOT = Path(__file__).parents[1]
FORGET = Path("/proc/self/clear_refs")
#: glibc's limit from which an array has pages of its own; given, it does not grow by itself.
ALONE = {"MALLOC_MMAP_THRESHOLD_": "65536", "OMP_NUM_THREADS": "1"}


def peaks(maker: str, asked: Sequence[Sequence[Any]]) -> list[float] | None:
    """MiB at the peak of each call, one after the other in one process; None outside Linux.

    Args:
        maker: ``module:function`` of what makes a call and has it run before where the first call
            is not the usual one: it imports and compiles.
        asked: its arguments for each call, as JSON knows them.

    Raises:
        RuntimeError: when the process failed; the message ends with what it said.
    """
    if not FORGET.exists():
        return None
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.peak"],
        input=json.dumps([maker, asked]),
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **ALONE},
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the peak memory of {maker} was not measured:\n{done.stderr[-2000:]}")
    return [float(mib) for mib in json.loads(done.stdout.splitlines()[-1])]


def peak(maker: str, *arguments: Any) -> float | None:
    """The same of a single call."""
    found = peaks(maker, [arguments])
    return found[0] if found else None


def side(module: str, number: int, name: str, small: bool) -> Call:
    """A maker: the side ``ours`` or ``theirs`` of a module's comparison, counted from 0."""
    comparisons = importlib.import_module(module).comparisons(small)
    call: Call = getattr(next(islice(comparisons, number, None)), name)
    call()
    return call


def beyond(call: Call) -> float:
    """MiB at the peak of a call beyond what this process holds."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:  # not with musl, which keeps little
        trim(0)
    FORGET.write_text("5")  # the peak so far is forgotten
    before = _status("VmRSS")
    call()
    return (_status("VmHWM") - before) / 1024


def _status(name: str) -> int:
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(name))


def _main() -> None:
    maker, asked = json.load(sys.stdin)
    module, _, name = maker.partition(":")
    make = getattr(importlib.import_module(module), name)
    print(json.dumps([beyond(make(*arguments)) for arguments in asked]))


if __name__ == "__main__":
    _main()
