"""Processes in which a plugin records every mask."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
OBSERVER = """
import json, os
import maskplug

@maskplug.hookimpl
def maskplug_after_mask(masked, event):
    if "none" in event.strategy.label:
        return
    line = {"pid": os.getpid(), "t": event.rng.t.tolist(), "keys": event.tokens.keys.tolist(),
            "rows": masked.inputs.to_lists()}
    with open(os.environ["MASKS"], "a") as out:
        out.write(json.dumps(line) + "\\n")
"""


@dataclass(frozen=True)
class ObservedProcesses:
    """Processes that import a plugin, which writes every mask to a file in ``folder``."""

    folder: Path

    def __post_init__(self) -> None:
        info = self.folder / "observer-1.0.dist-info"
        info.mkdir(parents=True)
        (self.folder / "observer.py").write_text(OBSERVER)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: observer\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[maskplug]\nobserver = observer\n")

    def start(self, script: str, *arguments: str) -> subprocess.Popen[str]:
        """Start a script beside the interpreter, or ``python``, in a new process group."""
        path = os.pathsep.join([str(self.folder), str(ROOT), os.environ.get("PYTHONPATH", "")])
        env = {"PYTHONPATH": path, "MASKS": str(self.folder / "masks"), "OMP_NUM_THREADS": "1"}
        return subprocess.Popen(
            [str(Path(sys.executable).with_name(script)), *arguments],
            env=os.environ | env,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def masks(self) -> tuple[dict[tuple[int, int], list[int]], set[int]]:
        """Return masked rows by t and key, equal in all processes, and the processes' ids."""
        rows: dict[tuple[int, int], list[int]] = {}
        lines = [json.loads(line) for line in (self.folder / "masks").read_text().splitlines()]
        for line in lines:
            for t, key, row in zip(line["t"], line["keys"], line["rows"], strict=True):
                assert rows.setdefault((t, key), row) == row
        return rows, {line["pid"] for line in lines}


def output_of(process: subprocess.Popen[str], code: int = 0) -> str:
    """Return the output of a process that must end with this exit code."""
    text, _ = process.communicate(timeout=300)
    assert process.returncode == code, text
    return text
