"""Compare ``Pattern.block_mask`` with ``create_block_mask`` of PyTorch, eager and compiled."""

from __future__ import annotations

import os
import time
import warnings
from typing import Any

import numpy as np

import maskplug
from benchmarks.timing import Call, Row, medians, peak

WINDOW, NEAR, DOCUMENT = 1024, 256, 1000
PATTERNS = {
    "causal": "causal",
    "window": f"window:left={WINDOW}",
    "document": "document",
    "composition": f"causal & document & window:left={NEAR}",
}
LENGTHS, SMALL = (8192, 32768), (256, 512)
LONGEST = 131_072
#: Bytes per cell that eager ``create_block_mask`` needs at its peak, with a reserve.
EAGER_BYTES = 11


def documents(length: int) -> Any:
    """Return document numbers for documents of about 1,000 tokens."""
    return np.cumsum(np.random.default_rng(1).random(length) < 1 / DOCUMENT)


def ours(name: str, length: int) -> Call:
    pattern = maskplug.pattern(PATTERNS[name])
    annotations = {"documents": documents(length)} if pattern.all_required_annotations else {}
    return lambda: pattern.block_mask(length, device="cpu", **annotations)


def theirs(name: str, length: int, compiled: bool = False) -> Call:
    import torch
    from torch.nn.attention.flex_attention import create_block_mask

    document = torch.from_numpy(documents(length))
    mask_mod = {
        "causal": lambda b, h, q, k: q >= k,
        "window": lambda b, h, q, k: (q >= k) & (q - k <= WINDOW),
        "document": lambda b, h, q, k: document[q] == document[k],
        "composition": lambda b, h, q, k: (q >= k) & (q - k <= NEAR) & (document[q] == document[k]),
    }[name]
    return lambda: create_block_mask(mask_mod, None, None, length, length, "cpu", _compile=compiled)


def milliseconds(call: Call, repeats: int) -> float:
    """Return the median time of a call."""
    return medians({"": lambda: call}, repeats, 0.0, time.perf_counter)[""] * 1e3


def fits(length: int) -> bool:
    """Return whether there is enough memory for eager ``create_block_mask``."""
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return EAGER_BYTES * length**2 < free


def speed(name: str, length: int, small: bool) -> Row:
    """Return the milliseconds of all sides, and their ratios to ours."""
    import torch

    ms = {"maskplug": milliseconds(ours(name, length), 1 if small else 30)}
    if not small:
        torch._dynamo.reset()  # otherwise the second length is compiled for any length
        ms["compiled"] = milliseconds(theirs(name, length, compiled=True), 5)
    if fits(length):
        ms["eager"] = milliseconds(theirs(name, length), 3 if length <= LENGTHS[0] else 1)
    times = {f"{side}, ms": value for side, value in ms.items()}
    ratios = {f"{side} / maskplug": ms[side] / ms["maskplug"] for side in [*ms][1:]}
    return {"what": f"{name}, {length} tokens", **times, **ratios}


def measure(small: bool) -> list[Row]:
    """Return the speed at every length, the peak memory of both sides, and a long row."""
    warnings.filterwarnings("ignore", message="_compile flag on create_block_mask")
    lengths, longest = (SMALL, SMALL[-1]) if small else (LENGTHS, LONGEST)
    rows = [speed(name, length, small) for length in lengths for name in PATTERNS]
    # The memory at the greatest length that both sides can handle.
    length = next(length for length in reversed(lengths) if fits(length))
    memory = {f"{n}, MiB": peak(f("causal", length)) for n, f in SIDES.items()}
    rows.append({"what": f"causal, {length} tokens, peak memory", **memory})
    alone = milliseconds(ours("document", longest), 1 if small else 30)
    return [*rows, {"what": f"document, {longest} tokens, alone", "maskplug, ms": alone}]


SIDES = {"maskplug": ours, "eager": theirs}
