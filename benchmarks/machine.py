"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

from benchmarks.parts import installed

PACKAGES = ("maskplug", "numpy", "numba", "torch", "transformers", "fairseq-fixed", "megatron-core")
CPU_INFO = Path("/proc/cpuinfo")


def machine() -> dict[str, Any]:
    """Python, cores, processor, system, and the versions of what is installed."""
    versions = {name: installed(name) for name in PACKAGES}
    return {
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "processor": processor(),
        "system": platform.platform(),
        **{name: found for name, found in versions.items() if found},
    }


def processor() -> str:
    """The processor's name, as far as the system tells."""
    if CPU_INFO.exists():
        for line in CPU_INFO.read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()
