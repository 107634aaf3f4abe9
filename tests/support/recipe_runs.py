"""A tiny recipe, and runs of it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from recipes.shared import binarize, config
from recipes.shared.plan import Run
from recipes.shared.prepare import prepare
from recipes.shared.rows import Table
from recipes.shared.workspace import Workspace

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


def train_command(path: Path, framework: str) -> list[str]:
    """Return the command that trains a prepared recipe."""
    words = ["python", "-m", "recipes", "train", str(path), "--out", str(path.parent / "work")]
    return [*words, "--framework", framework, "--threads", "1"]


def kill_when(process: subprocess.Popen[str], path: Path) -> None:
    """Kill a process and its children as soon as a file exists."""
    for _ in range(3000):
        if path.exists():
            break
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
