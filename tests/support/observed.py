"""Processes in which a plugin, ``observer``, records every mask."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from maskplug.plugins import plugins
from support import observer

TESTS = Path(__file__).parents[1]


@dataclass(frozen=True)
class ObservedProcesses:
    """Processes whose masks are written to a file in ``folder``."""

    folder: Path

    def __post_init__(self) -> None:
        info = self.folder / "observer-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: observer\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[maskplug]\nobserver = support.observer\n")

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables of observed processes."""
        folders = map(str, (self.folder, TESTS, TESTS.parent, os.environ.get("PYTHONPATH", "")))
        return {
            "PYTHONPATH": os.pathsep.join(folders),
            "MASKS": str(self.folder / "masks"),
            "OMP_NUM_THREADS": "1",
        }

    def start(self, script: str, *arguments: str) -> subprocess.Popen[str]:
        """Start a script beside the interpreter, or ``python``, in a new process group."""
        return subprocess.Popen(
            [str(Path(sys.executable).with_name(script)), *arguments],
            env=os.environ | self.environment,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    @contextmanager
    def in_this_process(self) -> Iterator[None]:
        """Observe this process and its children."""
        with pytest.MonkeyPatch.context() as patched:
            for name, value in self.environment.items():
                patched.setenv(name, value)
            plugins().manager.register(observer)
            try:
                yield
            finally:
                plugins().manager.unregister(observer)

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
