"""Read and write benchmarks/results.json, and make tables of its rows, in pages too.

``python -m benchmarks.report docs/performance.md`` replaces the text between
``<!-- table: NAME … -->`` and ``<!-- end -->``. The rows of several parts make one table.
"""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from itertools import groupby
from pathlib import Path
from typing import Any

import click

from benchmarks.timing import Row

FILE = "results.json"
RESULTS = Path(__file__).parent / FILE
PACKAGES = ("maskplug", "numpy", "numba", "torch", "transformers", "fairseq-fixed", "megatron-core")
CPU_INFO = Path("/proc/cpuinfo")
MARKED = re.compile(r"(<!-- table: ([\w -]+) -->\n).*?(<!-- end -->)", re.S)

#: By part, its rows; ``machine``, the rows that describe the machine; ``elsewhere``, those of the
#: machine of each part that was last measured with another machine or other versions.
Results = dict[str, Any]
#: Rows of strings, the head first; the columns after the first contain numbers.
Table = list[tuple[str, ...]]


def load(path: Path | None, names: Sequence[str]) -> Results:
    """Return the results of these parts in a file, prepared for measurements on this machine."""
    old: Results = json.loads(path.read_text("utf-8")) if path and path.exists() else {}
    now = machine()
    parts = {name: old[name] for name in names if name in old}
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


def installed(distribution: str) -> str | None:
    """Return the version of a distribution, or None if it is not installed."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


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
    text = CPU_INFO.read_text() if CPU_INFO.exists() else ""
    model = re.search(r"^model name\s*: *(.+)", text, re.M)
    return model[1] if model else platform.processor() or platform.machine()


def tables(rows: Sequence[Row]) -> list[Table]:
    """Return a table for each series of rows that begin with the same column.

    Columns that contain dicts are data of a picture and are left out.
    """
    result = []
    for _, group in groupby(rows, key=lambda row: next(iter(row))):
        series = list(group)
        names = (n for row in series for n in row if not isinstance(row[n], dict))
        head = tuple(dict.fromkeys(names))
        lines = [tuple(cell(row[n], n) if n in row else "" for n in head) for row in series]
        result.append([head, *lines])
    return result


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


def markdown(table: Table) -> str:
    """Return a table in Markdown with the numbers aligned to the right."""
    head, *rows = table
    rule = ("---", *("---:" for _ in head[1:]))
    return "".join(
        f"| {' | '.join(text.replace('|', chr(92) + '|') for text in row)} |\n"
        for row in (head, rule, *rows)
    )


def rewritten(text: str, results: Results) -> str:
    """Return a page with the tables of these results.

    Raises:
        ClickException: if the page has no marker or names a part without results.
    """

    def replace(match: re.Match[str]) -> str:
        begin, names, end = match.groups()
        rows = []
        for name in names.split():
            if name not in results:
                raise click.ClickException(f"no results of {name!r}, only {', '.join(results)}")
            rows += results[name]
        return f"{begin}{chr(10).join(map(markdown, tables(rows)))}{end}"

    text, count = MARKED.subn(replace, text)
    if not count:
        raise click.ClickException("the page has no '<!-- table: NAME -->' … '<!-- end -->'")
    return text


@click.command()
@click.argument("page", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def main(page: Path) -> None:
    """Rewrite the tables of PAGE."""
    values = json.loads(RESULTS.read_text("utf-8"))
    page.write_text(rewritten(page.read_text("utf-8"), values), "utf-8")


if __name__ == "__main__":
    main()
