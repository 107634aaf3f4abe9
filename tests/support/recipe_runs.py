"""Runs of a tiny recipe in processes of their own, in which a plugin writes down every mask."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recipes.shared import config
from recipes.shared.plan import Run
from recipes.shared.prepare import prepare
from recipes.shared.rows import Table
from recipes.shared.workspace import Workspace

ROOT = Path(__file__).parents[2]
CONFIG = """
title = "A tiny recipe"
columns = ["source", "target"]
corpora = ["tiny"]
metric = "bleu"
pieces = 36

[model]
family = "{family}"
layers = 1
decoder_layers = 1
width = 16
heads = 2
feed_forward = 16

[[stages]]
task = "{task}"
updates = 48
batch = 8
learning_rate = 0.01
warmup = 4
every = 6

[generation]
max_b = 4

[strategies]
none = {{}}
dynamic = {{ name = "dynamic", rate = 0.3 }}
bart = {{ name = "bart" }}
"""

OBSERVER = """
import json, os
import maskplug

@maskplug.hookimpl
def maskplug_after_mask(masked, event):
    if "none" in event.strategy.label:
        return
    line = {"t": event.rng.t.tolist(), "keys": event.tokens.keys.tolist(),
            "rows": masked.inputs.to_lists()}
    with open(os.environ["MASKS"], "a") as out:
        out.write(json.dumps(line) + "\\n")
"""


def table(rows: int, seed: int) -> Table:
    """Words that are spelt backwards in the other language."""
    words = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
    texts = [
        " ".join(words[(i * seed + j * j) % len(words)] for j in range(3 + (i + seed) % 7))
        for i in range(rows)
    ]
    columns = {"source": texts, "target": [text[::-1] for text in texts]}
    return Table(columns, [("tiny", n) for n in range(1, rows + 1)])


def prepared(folder: Path, family: str = "marian", task: str = "translation") -> Path:
    """A prepared recipe: its configuration file; the work lies beside it."""
    path = folder / "tiny.toml"
    path.write_text(CONFIG.format(family=family, task=task))
    tables = {"train": table(64, 1), "valid": table(8, 3), "test": table(8, 7)}
    prepare(config.load(str(path)), Workspace(folder / "work"), tables, lambda _: None, "tiny")
    return path


def run_of(path: Path, framework: str, strategy: str = "dynamic") -> Run:
    """A run of a prepared recipe, whose folder is that of the command line."""
    return Run(config.load(str(path)), Workspace(path.parent / "work"), framework, strategy, 1)


@dataclass(frozen=True)
class Observed:
    """Processes in which every mask is written to a file.

    Args:
        folder: of the plugin and of the file.
    """

    folder: Path

    def __post_init__(self) -> None:
        info = self.folder / "watcher-1.0.dist-info"
        info.mkdir(parents=True)
        (self.folder / "watcher.py").write_text(OBSERVER)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: watcher\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[maskplug]\nwatcher = watcher\n")

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a step of a recipe, in a group of processes of its own."""
        path = os.pathsep.join([str(self.folder), str(ROOT), os.environ.get("PYTHONPATH", "")])
        env = {"PYTHONPATH": path, "MASKS": str(self.folder / "masks"), "OMP_NUM_THREADS": "1"}
        return subprocess.Popen(
            [sys.executable, "-m", "recipes", *arguments],
            env=os.environ | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def seen(self) -> dict[tuple[int, int], list[int]]:
        """By t and key, what was made of a row; the same in every process, or this fails."""
        found: dict[tuple[int, int], list[int]] = {}
        for line in (self.folder / "masks").read_text().splitlines():
            said: dict[str, Any] = json.loads(line)
            for t, key, row in zip(said["t"], said["keys"], said["rows"], strict=True):
                assert found.setdefault((t, key), row) == row
        return found


def output(process: subprocess.Popen[str]) -> str:
    """What a process printed, once it has ended well."""
    text, _ = process.communicate(timeout=300)
    assert process.returncode == 0, text
    return text


def kill_when(process: subprocess.Popen[str], there: Path) -> None:
    """Kill a process and its children, without warning, as soon as a file is there."""
    for _ in range(3000):
        if there.exists():
            break
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
