"""benchmarks/results.json: one section a part, written whenever something was measured."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = "results.json"
RESULTS = Path(__file__).parent / FILE


@dataclass
class Results:
    """Figures old and new; parts that are not measured again keep theirs.

    Args:
        path: where they are kept; None keeps them nowhere.
        figures: ``machine``, ``elsewhere``, ``comparisons`` (rows, each with its ``part``), and a
            section for each other part. ``elsewhere`` names the parts that were measured on
            another machine, or with other versions, and says on which.
    """

    path: Path | None
    figures: dict[str, Any]

    @classmethod
    def begun(cls, path: Path | None, machine: dict[str, Any], parts: Collection[str]) -> Results:
        """What the file holds of these parts, if there is one, and the machine of today."""
        old = json.loads(path.read_text("utf-8")) if path and path.exists() else {}
        rows = [row for row in old.get("comparisons", []) if row["part"] in parts]
        sections = {name: old[name] for name in parts if name in old}
        elsewhere = old.get("elsewhere", {})
        if old.get("machine") != machine:
            kept = dict.fromkeys([*(row["part"] for row in rows), *sections], old.get("machine"))
            elsewhere = kept | elsewhere
        head = {"machine": machine, "elsewhere": elsewhere, "comparisons": rows}
        return cls(path, head | sections)

    def section(self, part: str, figures: dict[str, Any]) -> None:
        """What a part measured takes the place of what it measured before."""
        self.figures[part] = figures
        self._whole(part)

    def row(self, part: str, row: dict[str, Any]) -> None:
        """A comparison takes the place of the same one of before, or joins the others."""
        rows = self.figures["comparisons"]
        row = {"part": part, **row}
        same = [i for i, old in enumerate(rows) if _name(old) == _name(row)]
        if same:
            rows[same[0]] = row
        else:
            rows.append(row)
        self._write()

    def finished(self, part: str, rows: list[dict[str, Any]]) -> None:
        """A part went through: its comparisons stand in their order, and there are no others."""
        made = [{"part": part, **row} for row in rows]
        before = self.figures["comparisons"]
        first = next((i for i, old in enumerate(before) if old["part"] == part), len(before))
        before[:] = [
            *before[:first],
            *made,
            *(old for old in before[first:] if old["part"] != part),
        ]
        self._whole(part)

    def _whole(self, part: str) -> None:
        self.figures["elsewhere"].pop(part, None)
        self._write()

    def _write(self) -> None:
        if self.path:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            text = json.dumps(self.figures, indent=1, ensure_ascii=False)
            self.path.write_text(text + "\n", "utf-8")


def _name(row: dict[str, Any]) -> tuple[str, str, str]:
    return row["part"], row["peer"], row["what"]
