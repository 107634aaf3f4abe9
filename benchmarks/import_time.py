"""How long ``import maskplug`` takes, in fresh processes."""

from __future__ import annotations

import statistics
import subprocess
import sys

CODE = "import time; t = time.perf_counter(); import maskplug; print(time.perf_counter() - t)"


def measure(repeats: int) -> dict[str, float]:
    """Seconds, the median of ``repeats`` processes."""
    times = []
    for _ in range(repeats + 1):
        done = subprocess.run(
            [sys.executable, "-c", CODE], capture_output=True, text=True, check=True
        )
        times.append(float(done.stdout))
    return {"seconds": statistics.median(times[1:])}
