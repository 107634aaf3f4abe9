"""Runs of a tiny recipe in child processes in which a plugin records every mask."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from recipes.shared import binarize, config
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
    """Return rows whose targets are the sources spelt backwards."""
    words = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
    texts = [
        " ".join(words[(i * seed + j * j) % len(words)] for j in range(3 + (i + seed) % 7))
        for i in range(rows)
    ]
    columns = {"source": texts, "target": [text[::-1] for text in texts]}
    return Table(columns, [("tiny", n) for n in range(1, rows + 1)])


def prepared(folder: Path, family: str = "marian", task: str = "translation") -> Path:
    """Prepare a recipe beside its configuration file, and return the path of the file."""
    path = folder / "tiny.toml"
    path.write_text(CONFIG.format(family=family, task=task))
    tables = {"train": table(64, 1), "valid": table(8, 3), "test": table(8, 7)}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(binarize, "subprocess", SimpleNamespace(run=preprocess_in_this_process))
        prepare(config.load(str(path)), Workspace(folder / "work"), tables, lambda _: None, "tiny")
    return path


def preprocess_in_this_process(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
    """Run fairseq-preprocess without starting a process that imports fairseq again."""
    from fairseq import options
    from fairseq_cli import preprocess

    assert command[1:3] == ["-m", "fairseq_cli.preprocess"]
    preprocess.main(options.get_preprocessing_parser().parse_args(command[3:]))
    return subprocess.CompletedProcess(command, 0)


def run_of(path: Path, framework: str, strategy: str = "dynamic") -> Run:
    """Return a run of a prepared recipe in the folder that the command line would use."""
    return Run(config.load(str(path)), Workspace(path.parent / "work"), framework, strategy, 1)


def train(path: Path, framework: str) -> list[str]:
    """Return the arguments that train a prepared recipe."""
    words = ["train", str(path), "--out", str(path.parent / "work"), "--framework", framework]
    return [*words, "--threads", "1"]


@dataclass(frozen=True)
class Observed:
    """Child processes in which a plugin in ``folder`` writes every mask to a file."""

    folder: Path

    def __post_init__(self) -> None:
        info = self.folder / "watcher-1.0.dist-info"
        info.mkdir(parents=True)
        (self.folder / "watcher.py").write_text(OBSERVER)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: watcher\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[maskplug]\nwatcher = watcher\n")

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a step of a recipe in a new process group."""
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
        """Return the masked rows by t and key; they must be equal in every process."""
        masks: dict[tuple[int, int], list[int]] = {}
        for line in (self.folder / "masks").read_text().splitlines():
            record: dict[str, Any] = json.loads(line)
            for t, key, row in zip(record["t"], record["keys"], record["rows"], strict=True):
                assert masks.setdefault((t, key), row) == row
        return masks


def output(process: subprocess.Popen[str]) -> str:
    """Return what a process printed; it must succeed."""
    text, _ = process.communicate(timeout=300)
    assert process.returncode == 0, text
    return text


def kill_when(process: subprocess.Popen[str], there: Path) -> None:
    """Kill a process and its children as soon as a file exists."""
    for _ in range(3000):
        if there.exists():
            break
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
