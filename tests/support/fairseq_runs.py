"""Run fairseq's commands, in this process or in others, and record the batches of models."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from fairseq import options, tasks
from fairseq.dataclass.utils import convert_namespace_to_omegaconf
from fairseq_cli import generate as fairseq_generate
from fairseq_cli import interactive as fairseq_interactive
from fairseq_cli import train as fairseq_train
from fairseq_cli import validate as fairseq_validate

import maskplug_fairseq
from maskplug_fairseq import (
    MaskplugClassificationTask,
    MaskplugDenoisingTask,
    MaskplugMaskedLMTask,
    MaskplugTranslationTask,
)
from support.fairseq_data import PAD, Corpus, Labelled, Text

TASKS = [
    MaskplugClassificationTask,
    MaskplugDenoisingTask,
    MaskplugMaskedLMTask,
    MaskplugTranslationTask,
]
USER_DIR = str(Path(maskplug_fairseq.__file__).parent)
TRAINING = [
    *("--optimizer", "adam", "--lr", "0.001", "--cpu", "--no-progress-bar"),
    *("--required-batch-size-multiple", "1", "--log-interval", "1000", "--num-workers", "0"),
]
ENCODER = [
    *("--encoder-layers", "1", "--encoder-attention-heads", "2"),
    *("--encoder-embed-dim", "16", "--encoder-ffn-embed-dim", "16"),
]
DECODER = [
    *("--decoder-layers", "1", "--decoder-attention-heads", "2"),
    *("--decoder-embed-dim", "16", "--decoder-ffn-embed-dim", "16"),
]
TRANSFORMER = ["--arch", "transformer", *ENCODER, *DECODER, *TRAINING]
MODELS = {
    "maskplug_translation": TRANSFORMER,
    "maskplug_denoising": [*TRANSFORMER, "--share-all-embeddings"],
    "maskplug_masked_lm": ["--arch", "roberta", *ENCODER, *TRAINING],
    "maskplug_classification": ["--arch", "roberta", *ENCODER, *TRAINING],
}
#: For runs without checkpoints and validation.
QUICK = ["--no-save", "--disable-validation"]
NO_MASKS = ["--masking-plugin", "none", "--masking-args", "{}"]
RATE = '{"rate": 0.3}'
MASKING = {"--masking-plugin": "dynamic", "--masking-args": RATE, "--masking-seed": "7"}
DELETED = {"selector": "exact", "replacement": "delete", "target": "original"}
DELETE = ["--masking-plugin", "compose", "--masking-args", json.dumps(DELETED)]


# --- training ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Batch:
    """One batch of a training or validation step; the epoch is counted from 1."""

    epoch: int
    update: int
    sample: dict[str, Any]

    def rows(self, name: str = "src_tokens", pad: int = PAD) -> dict[int, list[int]]:
        """Return the rows of a field without padding, by sample id."""
        table = self.sample[name] if name in self.sample else self.sample["net_input"][name]
        return {
            int(i): [x for x in row.tolist() if x != pad]
            for i, row in zip(self.sample["id"], table, strict=True)
        }


def rows_by_id(batches: Sequence[Batch], name: str = "src_tokens") -> dict[int, list[int]]:
    """Return the rows of a field of several batches, in which each sample occurs once."""
    rows: dict[int, list[int]] = {}
    for batch in batches:
        new = batch.rows(name)
        assert not set(new) & set(rows)
        rows.update(new)
    return rows


@dataclass
class Run:
    """A run: its checkpoint folder, its task, and all its batches."""

    folder: Path
    batches: list[Batch] = field(default_factory=list)
    valid_batches: list[Batch] = field(default_factory=list)
    task: Any = None

    def epoch(self, epoch: int) -> list[Batch]:
        """Return the training batches of an epoch, counted from 1."""
        return [batch for batch in self.batches if batch.epoch == epoch]

    def rows(self, epoch: int, name: str = "src_tokens") -> dict[int, list[int]]:
        """Return the training rows of an epoch, counted from 1, by sample id."""
        return rows_by_id(self.epoch(epoch), name)


def command(
    data: Corpus | Text | Labelled,
    folder: Path,
    *flags: str,
    task: str = "maskplug_translation",
    max_epoch: int = 2,
) -> list[str]:
    """Return the command line of a training run; ``flags`` override."""
    masking = [x for k, v in MASKING.items() if k not in flags for x in (k, v)]
    size = [] if {"--max-tokens", "--batch-size"} & set(flags) else ["--batch-size", "4"]
    epochs = ["--max-epoch", str(max_epoch)] if max_epoch else []
    paths = ["--save-dir", str(folder), "--user-dir", USER_DIR, "--task", task]
    return [data.data, *MODELS[task], *paths, *masking, *size, *epochs, *flags]


@contextmanager
def recorded(run: Run) -> Iterator[None]:
    """Record every batch of training and validation steps."""
    now = {"epoch": 0}

    def train_step(self: Any, sample: Any, *args: Any, **kwargs: Any) -> Any:
        run.batches.append(Batch(now["epoch"], kwargs["update_num"], sample))
        return super(type(self), self).train_step(sample, *args, **kwargs)

    def valid_step(self: Any, sample: Any, *args: Any) -> Any:
        run.valid_batches.append(Batch(now["epoch"], 0, sample))
        return super(type(self), self).valid_step(sample, *args)

    def begin_epoch(self: Any, epoch: int, model: Any) -> None:
        now["epoch"], run.task = epoch, self
        super(type(self), self).begin_epoch(epoch, model)

    methods = {"train_step": train_step, "valid_step": valid_step, "begin_epoch": begin_epoch}
    for task, name in itertools.product(TASKS, methods):
        setattr(task, name, methods[name])
    try:
        yield
    finally:
        for task, name in itertools.product(TASKS, methods):
            delattr(task, name)


def parse(flags: Sequence[str]) -> Any:
    """Return the arguments of a fairseq-train command line."""
    return options.parse_args_and_arch(options.get_training_parser(), list(flags))


def train_command(flags: Sequence[str], folder: Path) -> Run:
    """Run fairseq-train in this process."""
    run = Run(folder)
    with recorded(run):
        fairseq_train.main(convert_namespace_to_omegaconf(parse(flags)))
    stop_workers(run.task)
    return run


def train(data: Any, folder: Path, *flags: str, **settings: Any) -> Run:
    """Run fairseq-train in this process; see ``command``."""
    return train_command(command(data, folder, *flags, **settings), folder)


def stop_workers(task: Any) -> None:
    """Stop a task's data-loading workers; garbage collection would take 5 seconds for each."""
    for iterator in task.dataset_to_epoch_iter.values():
        running = iterator.dataloader and iterator.dataloader._iterator
        if hasattr(running, "_shutdown_workers"):
            running._shutdown_workers()


def task_of(data: Any, *flags: str, max_epoch: int = 0, **settings: Any) -> Any:
    """Return the task of a training run without running it."""
    folder = Path(data.data).parent
    # Not a configuration, which takes as long as a short training run.
    return tasks.setup_task(parse(command(data, folder, *flags, max_epoch=max_epoch, **settings)))


def train_split(data: Any, *flags: str, **settings: Any) -> Any:
    """Return the masked training split of a task."""
    task = task_of(data, *flags, **settings)
    task.load_dataset("train")
    return task.dataset("train")


def weights(folder: Path) -> dict[str, torch.Tensor]:
    """Return the parameters in a run's last checkpoint."""
    state = torch.load(folder / "checkpoint_last.pt", weights_only=True)
    parameters: dict[str, torch.Tensor] = state["model"]
    return parameters


def assert_resumed(run: Run, whole: Run, first: int) -> None:
    """Check that a run repeats the batches of another one from ``first``, and its parameters."""
    assert [batch.update for batch in run.batches] == [b.update for b in whole.batches[first:]]
    for batch, wanted in zip(run.batches, whole.batches[first:], strict=True):
        for name in {"src_tokens", "prev_output_tokens"} & set(wanted.sample["net_input"]):
            assert batch.rows(name) == wanted.rows(name)
        assert torch.equal(batch.sample["target"], wanted.sample["target"])
    parameters = weights(whole.folder)
    resumed = weights(run.folder)
    assert all(torch.equal(value, parameters[name]) for name, value in resumed.items())


# --- other commands ------------------------------------------------------------------------------


def inference(data: Any, folder: Path, task: str, *flags: str) -> list[str]:
    """Return the arguments that fairseq's inference commands share."""
    paths = ["--path", str(folder / "checkpoint_last.pt"), "--user-dir", USER_DIR, "--cpu"]
    size = ["--batch-size", "5", "--required-batch-size-multiple", "1", "--num-workers", "0"]
    return [data.data, "--task", task, *paths, *size, *flags]


def validate(data: Any, folder: Path, task: str, *flags: str, subset: str = "valid") -> Run:
    """Run fairseq-validate in this process."""
    flags = (*inference(data, folder, task, "--valid-subset", subset), *flags)
    run = Run(folder)
    with recorded(run):
        args = options.parse_args_and_arch(options.get_validation_parser(), list(flags))
        fairseq_validate.main(convert_namespace_to_omegaconf(args))
    return run


def parse_output(text: str) -> dict[str, dict[int, str]]:
    """Return the sources (S), targets (T) and hypotheses (H) in fairseq's output, by sample id."""
    lines: dict[str, dict[int, str]] = {"S": {}, "T": {}, "H": {}}
    for line in text.splitlines():
        kind, _, rest = line.partition("-")
        if kind in lines:
            number, *_, words = rest.split("\t")
            lines[kind][int(number)] = words
    return lines


def generate(
    data: Any, folder: Path, task: str, out: Path, *flags: str, subset: str = "test"
) -> dict[str, dict[int, str]]:
    """Run fairseq-generate in this process; see ``parse_output``."""
    beam = ("--beam", "2", "--max-len-b", "5", "--gen-subset", subset, "--results-path", str(out))
    args = inference(data, folder, task, *beam, *flags)
    fairseq_generate.main(options.parse_args_and_arch(options.get_generation_parser(), args))
    return parse_output((out / f"generate-{subset}.txt").read_text())


def interact(
    data: Any, folder: Path, task: str, lines: str, *flags: str
) -> dict[str, dict[int, str]]:
    """Run fairseq-interactive in this process; see ``parse_output``."""
    beam = ("--beam", "2", "--max-len-b", "5", "--buffer-size", "5")
    parser = options.get_interactive_generation_parser()
    args = options.parse_args_and_arch(parser, inference(data, folder, task, *beam, *flags))
    output = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(output):
        patch.setattr("sys.stdin", io.StringIO(lines))
        fairseq_interactive.main(convert_namespace_to_omegaconf(args))
    return parse_output(output.getvalue())
