"""``Pattern.block_mask`` against ``create_block_mask``, eager and compiled; and peak memory.

torch's side gets the functions that people write for it. Eager at 32,768 tokens needs 10 GiB and is
left out where there is less.
"""

from __future__ import annotations

import os
import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import maskplug
from benchmarks.peak import peak

WINDOW, NEAR, DOCUMENT = 1024, 256, 1000
PATTERNS = {
    "causal": "causal",
    "window": f"window:left={WINDOW}",
    "document": "document",
    "composition": f"causal & document & window:left={NEAR}",
}
LENGTHS = (8192, 32768)
LONGEST = 131_072
SMALL, REPEATS = (256, 512), 30
#: Bytes a cell that eager ``create_block_mask`` holds at its peak, and some to spare.
EAGER_BYTES = 11


def documents(length: int) -> Any:
    """Documents of some 1,000 tokens."""
    ends = np.random.default_rng(1).random(length) < 1 / DOCUMENT
    return np.cumsum(ends)


def ours(name: str, length: int) -> Callable[[], Any]:
    """From the pattern to the tensors, the way there included."""
    pattern = maskplug.pattern(PATTERNS[name])
    layers = {"documents": documents(length)} if pattern.all_required_annotations else {}
    return lambda: pattern.block_mask(length, device="cpu", **layers)


def theirs(name: str, length: int, compiled: bool = False) -> Callable[[], Any]:
    """The same by torch."""
    import torch
    from torch.nn.attention.flex_attention import create_block_mask

    document = torch.from_numpy(documents(length))
    sees = {
        "causal": lambda b, h, q, k: q >= k,
        "window": lambda b, h, q, k: (q >= k) & (q - k <= WINDOW),
        "document": lambda b, h, q, k: document[q] == document[k],
        "composition": lambda b, h, q, k: (q >= k) & (q - k <= NEAR) & (document[q] == document[k]),
    }[name]
    return lambda: create_block_mask(sees, None, None, length, length, "cpu", _compile=compiled)


def seconds(call: Callable[[], Any], repeats: int, warm: bool = True) -> float:
    """Seconds a call: the median, after one to warm up."""
    times = []
    for _ in range(repeats + warm):
        begun = time.perf_counter()
        call()
        times.append(time.perf_counter() - begun)
    return statistics.median(times[int(warm) :])


def fits(length: int) -> bool:
    """Whether eager ``create_block_mask`` has the memory that it needs."""
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return EAGER_BYTES * length**2 < free


def speed(name: str, length: int, repeats: int, compiled: bool = True) -> dict[str, float]:
    """Milliseconds on all sides, and the ratios."""
    import torch

    found = {"maskplug": seconds(ours(name, length), repeats)}
    if compiled:
        torch._dynamo.reset()  # else the second length is compiled for any length
        found["compiled"] = seconds(theirs(name, length, compiled=True), min(repeats, 5))
    if fits(length):
        short = length <= LENGTHS[0]
        found["eager"] = seconds(theirs(name, length), 3 if short else 1, warm=short)
    ratios = {f"{side} / maskplug": s / found["maskplug"] for side, s in found.items()}
    del ratios["maskplug / maskplug"]
    return {**{f"{side}, ms": s * 1e3 for side, s in found.items()}, **ratios}


def side(name: str, kind: str, length: int) -> Callable[[], Any]:
    """A maker of :mod:`benchmarks.peak`; 256 tokens are enough to import and to compile."""
    import torch

    torch.set_num_threads(1)
    make = {"maskplug": ours, "eager": theirs}[name]
    make(kind, 256)()
    return make(kind, length)


def memory(length: int) -> dict[str, float | None]:
    """MiB at the peak of one call, on both sides."""
    names = ("maskplug", "eager")
    return {
        f"{name}, MiB": peak("benchmarks.attention:side", name, "causal", length) for name in names
    }


def measure(small: bool) -> dict[str, Any]:
    """Speed at every length, peak memory at the longest that both sides manage, and a long row."""
    import torch

    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message="_compile flag on create_block_mask")
    lengths, repeats, longest = (SMALL, 1, SMALL[-1]) if small else (LENGTHS, REPEATS, LONGEST)
    found: dict[str, Any] = {
        f"{name}, {length} tokens": speed(name, length, repeats, compiled=not small)
        for length in lengths
        for name in PATTERNS
    }
    length = next(length for length in reversed(lengths) if fits(length))
    found[f"causal, {length} tokens, peak memory"] = memory(length)
    alone = seconds(ours("document", longest), repeats)
    found[f"document, {longest} tokens, alone"] = {"maskplug, ms": alone * 1e3}
    return found
