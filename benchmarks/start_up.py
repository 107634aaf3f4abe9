"""Measure the time to the first batch: import, compilation, and loading of compiled kernels.

Each value comes from its own process. Seconds count from ``import maskplug`` on; the import of
the framework is listed separately.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.timing import Row

ROOT = Path(__file__).parents[1]
STRATEGIES = ("dynamic", "whole_word", "span", "t5", "bart", "ul2", "permutation")
PATTERN = "causal & document"
ROWS, LENGTH = 32, 512
METHODS = ("fork", "spawn", "forkserver")
SLOWEST = 10


ROW = [2, *(5 + i % 50 for i in range(LENGTH - 2))]
#: Rows of ordinary ids between ``<s>`` and ``</s>``, of different lengths.
TEXTS = [[*ROW[: LENGTH - 1 - 8 * i], 3] for i in range(ROWS)]
FEATURES: Any = [{"input_ids": row} for row in TEXTS]


def core(name: str) -> None:
    import maskplug
    from maskplug.testing.vocabulary import rich_vocabulary

    maskplug.strategy(name)(maskplug.TokenBatch.from_lists(TEXTS), rich_vocabulary(), seed=1)


def pattern(name: str) -> None:
    """Compute the blocks of an attention pattern, without tensors."""
    import numpy as np

    import maskplug
    from maskplug.attention.blocks import PARTIAL, Blocks

    documents = np.arange(4 * LENGTH) // 300
    rows = maskplug.pattern(name).intervals(4 * LENGTH, documents=documents)
    Blocks.of(rows).listed(PARTIAL)


def collator(name: str) -> Any:
    from benchmarks.inputs import tokenizer
    from maskplug_hf import DataCollatorForMasking

    collate = DataCollatorForMasking(tokenizer(300), name, seed=1)
    collate.set_epoch(0)
    collate(FEATURES)
    return collate


def fairseq(name: str) -> None:
    from benchmarks.inputs import fairseq_lines, masked_pairs

    masked = masked_pairs(fairseq_lines(TEXTS), 55, name)
    masked.collater([masked[i] for i in range(ROWS)])


def workers(name: str) -> dict[str, Any]:
    """Return the seconds to the first batch of two workers, and the kernels they compiled."""
    import warnings

    from torch.utils.data import DataLoader

    warnings.filterwarnings("ignore", message="'pin_memory' argument")

    def kernels() -> int:
        return len(list(Path(os.environ["NUMBA_CACHE_DIR"]).rglob("*.nbc")))

    values: dict[str, Any] = {}
    collate, before = collator(name), kernels()
    for method in METHODS:
        begin = time.perf_counter()
        loader: Any = DataLoader(
            FEATURES, 8, num_workers=2, collate_fn=collate, multiprocessing_context=method
        )
        batches = iter(loader)
        next(batches)
        values[f"{method}, s"] = time.perf_counter() - begin
        list(batches)
    return {"workers": {**values, "kernels compiled in workers": kernels() - before}}


#: For each use, the function that makes a batch, and the import before the clock starts.
USES: dict[str, tuple[Callable[[str], Any], str]] = {
    "core": (core, "sys"),
    "pattern": (pattern, "sys"),
    "transformers": (collator, "transformers.trainer"),
    "fairseq": (fairseq, "fairseq.data"),
    "workers": (workers, "transformers.trainer"),
}


def in_this_process(use: str, name: str) -> dict[str, Any]:
    """Return the values of this process, which has not imported maskplug."""
    function, framework = USES[use]
    begin = time.perf_counter()
    __import__(framework)
    ready, processor = time.perf_counter(), time.process_time()
    import maskplug  # noqa: F401

    imported = time.perf_counter()
    from maskplug.kernels.compilation import watched

    with watched() as compiled:
        more = function(name)
    values: dict[str, Any] = {
        "framework, s": ready - begin,
        "import maskplug, s": imported - ready,
        "s": time.perf_counter() - ready,
        "s of processor": time.process_time() - processor,
    }
    kernels: dict[str, float] = {one.name: 0.0 for one in compiled if one.is_maskplug}
    for one in compiled:
        kernel = one.name if one.is_maskplug else "numba's own functions"
        kernels[kernel] = kernels.get(kernel, 0.0) + one.seconds
    return values | {"compiled": kernels} | (more if isinstance(more, dict) else {})


def in_new_process(use: str, name: str, cache: str) -> dict[str, Any]:
    """Return the values of a new process that caches its kernels in a folder."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "benchmarks.start_up", use, name],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "NUMBA_CACHE_DIR": cache, "OMP_NUM_THREADS": "1"},
    )
    values: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return values


def first_batch(use: str, name: str, repeats: int) -> tuple[Row, dict[str, float], list[Row]]:
    """Return the times with an empty and a filled cache, the seconds by kernel, and all values."""
    with TemporaryDirectory() as cache:
        cold = in_new_process(use, name, cache)
        warm = [in_new_process(use, name, cache) for _ in range(repeats)]
    row: Row = {"first batch": name if use in ("core", "pattern") else f"{name} in {use}"}
    row |= {f"cold, {unit}": cold[unit] for unit in ("s", "s of processor")}
    for unit in ("s", "s of processor"):
        row[f"warm, {unit}"] = statistics.median(values[unit] for values in warm)
    row["kernels compiled"] = len(cold["compiled"]) - 1
    if cold["framework, s"] > 0.01:
        row["the framework's own import, s"] = cold["framework, s"]
    return row, cold["compiled"], warm


def measure(small: bool) -> list[Row]:
    """Return the times by strategy and framework, of workers, and of the slowest kernels.

    The seconds of a kernel are those of the first use that needed it, without the kernels it calls.
    """
    uses = [("core", "none")]
    if not small:
        uses = [("core", name) for name in STRATEGIES]
        uses += [("pattern", PATTERN), ("transformers", "dynamic"), ("fairseq", "dynamic")]
    batches: list[Row] = []
    kernels: dict[str, float] = {}
    imports: list[float] = []
    for use, name in uses:
        row, compiled, warm = first_batch(use, name, 1 if small else 5)
        batches.append(row)
        kernels = compiled | kernels
        if use == "core":
            imports += [values["import maskplug, s"] for values in warm]
    values = {"import maskplug, s": statistics.median(imports)}
    if not small:
        with TemporaryDirectory() as cache:
            loaded = in_new_process("workers", "dynamic", cache)["workers"]
        values |= {f"two workers' first batch, {name}": v for name, v in loaded.items()}
    slowest = sorted(kernels.items(), key=lambda item: -item[1])
    compiling = dict(slowest[:SLOWEST])
    if rest := slowest[SLOWEST:]:
        compiling[f"{len(rest)} more, together"] = sum(seconds for _, seconds in rest)
    others = [{"what": name, "value": value} for name, value in values.items()]
    return [*batches, *others, *({"kernel": k, "s to compile": s} for k, s in compiling.items())]


if __name__ == "__main__":
    print(json.dumps(in_this_process(*sys.argv[1:])))
