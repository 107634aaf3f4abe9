"""The fairseq side: fairseq-train with ``--masking-plugin``, then fairseq-generate."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from maskplug.cli.fairseq_dir import fairseq_dir
from recipes.translation.prepare import SOURCE, TARGET, Workspace

HYPOTHESIS = re.compile(r"D-(\d+)\t[^\t]*\t(.*)")


@dataclass(frozen=True)
class Masking:
    """Which masks to train with, in both frameworks."""

    strategy: str
    options: str
    seed: int


def train_command(work: Workspace, masking: Masking, epochs: int) -> list[str]:
    """The command that trains a small Transformer, with the sources masked."""
    model = {
        "--arch": "transformer", "--share-all-embeddings": None, "--dropout": "0.1",
        "--encoder-layers": "2", "--encoder-embed-dim": "128", "--encoder-ffn-embed-dim": "256",
        "--encoder-attention-heads": "4", "--decoder-layers": "1", "--decoder-embed-dim": "128",
        "--decoder-ffn-embed-dim": "256", "--decoder-attention-heads": "4",
    }  # fmt: skip
    training = {
        "--optimizer": "adam", "--lr": "0.003", "--lr-scheduler": "inverse_sqrt",
        "--warmup-updates": "60", "--clip-norm": "1.0", "--max-tokens": "3000", "--seed": "1",
        "--criterion": "label_smoothed_cross_entropy", "--label-smoothing": "0.1",
        "--max-epoch": str(epochs),
        "--cpu": None, "--required-batch-size-multiple": "1", "--num-workers": "1",
        "--no-epoch-checkpoints": None, "--save-dir": str(work.root / "checkpoints"),
        "--log-format": "json", "--log-interval": "5",
    }  # fmt: skip
    masks = {
        "--user-dir": str(fairseq_dir()), "--task": "maskplug_translation",
        "--masking-plugin": masking.strategy, "--masking-args": masking.options,
        "--masking-side": "source", "--masking-seed": str(masking.seed),
    }  # fmt: skip
    return _command("fairseq-train", work, masks | model | training)


def generate_command(work: Workspace) -> list[str]:
    """The command that translates the test set, from clean sources."""
    return _command(
        "fairseq-generate",
        work,
        {
            "--user-dir": str(fairseq_dir()), "--task": "maskplug_translation", "--cpu": None,
            "--path": str(work.root / "checkpoints" / "checkpoint_best.pt"), "--beam": "1",
            "--max-len-a": "1.2", "--max-len-b": "10", "--remove-bpe": "sentencepiece",
            "--required-batch-size-multiple": "1", "--max-tokens": "6000",
        },
    )  # fmt: skip


def _command(program: str, work: Workspace, options: dict[str, str | None]) -> list[str]:
    command = [str(Path(sys.executable).parent / program), str(work.data_bin)]
    command += ["--source-lang", SOURCE, "--target-lang", TARGET]
    for name, value in options.items():
        command += [name] if value is None else [name, value]
    return command


def train(
    work: Workspace, masking: Masking, epochs: int, tell: Callable[[float, str], None]
) -> None:
    """Train from scratch; ``tell`` hears the epochs done, as a fraction, and the loss."""
    (work.root / "checkpoints" / "checkpoint_last.pt").unlink(missing_ok=True)
    for line in _run(train_command(work, masking, epochs), work.root / "fairseq-train.log"):
        figures = re.search(r"\{.*\"loss\".*\}", line)
        if figures:
            said = json.loads(figures[0])
            tell(float(said.get("update", said["epoch"])), f"loss {float(said['loss']):.2f}")


def translate(work: Workspace) -> list[str]:
    """Translate the test set: one line a test source, in their order."""
    found = {}
    for line in _run(generate_command(work), work.root / "fairseq-generate.log"):
        match = HYPOTHESIS.match(line)
        if match:
            found[int(match[1])] = match[2]
    return [found[i] for i in sorted(found)]


def _run(command: list[str], log: Path) -> Iterator[str]:
    """The lines that a program prints, which also go to a log."""
    now = os.environ | {"PYTHONUNBUFFERED": "1"}  # lines come when they are written
    with (
        log.open("w") as record,
        subprocess.Popen(
            command, env=now, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as process,
    ):
        assert process.stdout is not None
        for line in process.stdout:
            record.write(line)
            yield line
    if process.returncode:
        tail = "".join(log.read_text().splitlines(keepends=True)[-15:])
        raise click.ClickException(f"{Path(command[0]).name} failed; see {log}\n{tail}")
