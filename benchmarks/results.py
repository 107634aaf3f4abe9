"""Read and write benchmarks/results.json, and make tables of its rows."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.parts import PARTS, Row, installed

FILE = "results.json"
RESULTS = Path(__file__).parent / FILE
PACKAGES = ("maskplug", "numpy", "numba", "torch", "transformers", "fairseq-fixed", "megatron-core")
CPU_INFO = Path("/proc/cpuinfo")

#: By part, its rows; ``machine``, the rows that describe the machine; ``elsewhere``, those of the
#: machine of each part that was last measured with another machine or other versions.
Results = dict[str, Any]


def load(path: Path | None) -> Results:
    """Return the results in a file, prepared for measurements on this machine."""
    old: Results = json.loads(path.read_text("utf-8")) if path and path.exists() else {}
    now = machine()
    parts = {part.name: old[part.name] for part in PARTS if part.name in old}
    elsewhere = old.get("elsewhere", {})
    if old.get("machine", now) != now:
        elsewhere = dict.fromkeys(parts, old["machine"]) | elsewhere
    return {"machine": now, "elsewhere": elsewhere, **parts}


def store(results: Results, part: str, rows: list[Row], path: Path | None) -> None:
    """Replace the rows of a part, and write all results to a file unless ``path`` is None."""
    results[part] = rows
    results["elsewhere"].pop(part, None)
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", "utf-8")


def machine() -> list[Row]:
    """Return the Python version, the processor, the system and the package versions."""
    facts = {
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "processor": _processor(),
        "system": platform.platform(),
        **{name: installed(name) for name in PACKAGES},
    }
    return [{"what": name, "value": value} for name, value in facts.items() if value]


def _processor() -> str:
    if CPU_INFO.exists():
        for line in CPU_INFO.read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


class Table(NamedTuple):
    """A table of strings; the columns after the first contain numbers."""

    head: tuple[str, ...]
    rows: list[tuple[str, ...]]


def tables(rows: Sequence[Row]) -> list[Table]:
    """Return a table for each series of rows that begin with the same column.

    Columns that contain dicts are data of a picture and are left out.
    """
    made = []
    for _, group in groupby(rows, key=lambda row: next(iter(row))):
        series = list(group)
        head = dict.fromkeys(
            name for row in series for name in row if not isinstance(row[name], dict)
        )
        made.append(
            Table(
                tuple(head),
                [tuple(cell(r[n], n) if n in r else "" for n in head) for r in series],
            )
        )
    return made


def cell(value: Any, column: str = "") -> str:
    """Format a value: three digits, a share in percent, "–" for None."""
    if value is None:
        return "–"
    if isinstance(value, list):
        return ", ".join(cell(item, column) for item in value)
    if isinstance(value, str):
        return value
    if "share" in column and "%" not in column:
        return f"{value * 100:.3g} %"
    if abs(value) >= 1e6:
        millions = value / 1e6
        return f"{millions:,.0f} M" if millions >= 100 else f"{millions:#.3g} M"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
