"""``make bench``: every comparison, a table, and benchmarks/results.json."""

from __future__ import annotations

import json
import logging
import os
import platform
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results.json"
PACKAGES = ("maskplug", "numpy", "numba", "torch", "transformers", "fairseq-fixed")


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    names = {name: version(name) for name in PACKAGES}
    return {"python": platform.python_version(), "cores": os.cpu_count(), **names}


def measure(repeats: int) -> dict[str, Any]:
    """All figures."""
    from benchmarks import attention, fairseq_epochs, hf_masked_lm, import_time, objectives

    return {
        "machine": machine(),
        "import maskplug": import_time.measure(repeats),
        "masked LM, 32 x 512, lists of ints, tokens a second": hf_masked_lm.measure(repeats),
        "the core alone, 32 x 512, tokens a second": objectives.measure(repeats),
        "BlockMask, against create_block_mask": attention.measure(repeats),
        "rows with the same mask in epochs 1 and 2": fairseq_epochs.measure(),
    }


def show(results: dict[str, Any]) -> None:
    """Print a table."""
    from rich.console import Console
    from rich.table import Table

    table = Table("what", "figure", "value", box=None)
    for what, figures in results.items():
        for name, value in figures.items():
            inner = value if isinstance(value, dict) else {"": value}
            for side, figure in inner.items():
                said = f"{figure:,.3g}" if isinstance(figure, float) and figure < 1e4 else figure
                said = f"{said:,.0f}" if isinstance(said, float) else str(said)
                table.add_row(what, f"{name}  {side}", said)
                what = ""
    Console().print(table)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    logging.disable(logging.INFO)
    warnings.filterwarnings("ignore", message="'pin_memory' argument")
    found = measure(repeats=int(os.environ.get("REPEATS", "50")))
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")
    show(found)
