"""Fake installed distributions: a folder with a module and a .dist-info beside it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HEAD = """
import maskplug
from dataclasses import dataclass

def half(rate: float = 0.5) -> maskplug.Strategy:
    "Half of the tokens."
    return maskplug.compose(maskplug.part("selector", "exact", rate=rate))
"""
REGISTER = """
@maskplug.hookimpl
def maskplug_register(register):
    register("strategy", "half", half)
"""
#: Not PATH alone: the children need what this process was started with.
QUIET = ("MASKPLUG_STRICT_PLUGINS", "MASKPLUG_LOAD_PLUGINS")


@dataclass(frozen=True)
class Site:
    """A folder of fake distributions, and a way to run Python with it on the path."""

    folder: Path

    def install(self, name: str, source: str = REGISTER, version: str = "1.2") -> None:
        """Install a distribution with one module and one entry point, both named ``name``."""
        (self.folder / f"{name}.py").write_text(HEAD + source)
        info = self.folder / f"{name}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[maskplug]\n{name} = {name}\n")

    def run(self, code: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run code in a fresh interpreter that finds these distributions."""
        clean = {key: value for key, value in os.environ.items() if key not in QUIET}
        tests = str(Path(__file__).parents[1])
        clean["PYTHONPATH"] = os.pathsep.join([str(self.folder), tests])
        return subprocess.run(
            [sys.executable, "-c", "import maskplug\n" + code],
            capture_output=True,
            text=True,
            env={**clean, **environment},
            timeout=120,
        )
