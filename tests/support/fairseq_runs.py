"""A tiny parallel corpus, fairseq's own commands on it, and what its models were fed."""

from __future__ import annotations

import itertools
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from fairseq import options, tasks
from fairseq.data import Dictionary
from fairseq.dataclass.utils import convert_namespace_to_omegaconf
from fairseq_cli import preprocess
from fairseq_cli import train as fairseq_train

import maskplug
import maskplug_fairseq
from maskplug_fairseq import (
    MaskplugClassificationTask,
    MaskplugDenoisingTask,
    MaskplugMaskedLMTask,
    MaskplugTranslationTask,
)

TASKS = [
    MaskplugClassificationTask,
    MaskplugDenoisingTask,
    MaskplugMaskedLMTask,
    MaskplugTranslationTask,
]
USER_DIR = str(Path(maskplug_fairseq.__file__).parent)
SIZES = {"train": 64, "valid": 12, "test": 10}
LANGUAGES = {"source": "de", "target": "en"}
TRAINING = [
    *("--optimizer", "adam", "--lr", "0.001", "--cpu", "--no-progress-bar"),
    *("--required-batch-size-multiple", "1", "--log-interval", "1000"),
]
ENCODER = [
    *("--encoder-layers", "1", "--encoder-attention-heads", "2"),
    *("--encoder-embed-dim", "16", "--encoder-ffn-embed-dim", "16"),
]
DECODER = [
    *("--decoder-layers", "1", "--decoder-attention-heads", "2"),
    *("--decoder-embed-dim", "16", "--decoder-ffn-embed-dim", "16"),
]
MODEL = ["--arch", "transformer", *ENCODER, *DECODER, *TRAINING]
#: For runs whose checkpoints and validation nobody looks at.
QUICK = ["--no-save", "--disable-validation"]
RATE = '{"rate": 0.3}'
MASKING = {"--masking-plugin": "dynamic", "--masking-args": RATE, "--masking-seed": "7"}
DELETED = {"selector": "exact", "replacement": "delete", "target": "original"}
DELETE = ["--masking-plugin", "compose", "--masking-args", json.dumps(DELETED)]


def sentence(pick: random.Random, spelling: str) -> str:
    """15 to 40 words of one or two pieces."""
    words = []
    for _ in range(pick.randint(15, 40)):
        stem, end = f"w{pick.randrange(30)}", f"e{pick.randrange(5)}"
        if pick.random() < 0.5:
            words.append(f"▁{stem}" if spelling == "▁" else stem)
        else:
            words.append(f"▁{stem} {end}" if spelling == "▁" else f"{stem}@@ {end}")
    return " ".join(words)


@dataclass(frozen=True)
class Corpus:
    """Text and binarized data of one parallel corpus."""

    folder: Path

    @property
    def data(self) -> str:
        return str(self.folder / "data-bin")

    def dictionary(self, side: str) -> Dictionary:
        return Dictionary.load(f"{self.data}/dict.{LANGUAGES[side]}.txt")

    def vocabulary(self, side: str, symbol: str = "auto") -> maskplug.Vocabulary:
        return maskplug_fairseq.vocabulary(self.dictionary(side), symbol)

    def rows(self, side: str, split: str = "train") -> list[list[int]]:
        """The ids of every sentence, encoded here and now from the text."""
        dictionary = self.dictionary(side)
        lines = (self.folder / f"{split}.{LANGUAGES[side]}").read_text().splitlines()
        return [dictionary.encode_line(line, add_if_not_exist=False).tolist() for line in lines]

    def expected(
        self, side: str, epoch: int, name: str = "dynamic", step: Any = 0, **more: Any
    ) -> list[list[int]]:
        """What the core makes of every training row at an epoch counted from 0."""
        rate = {} if name == "compose" else {"rate": 0.3}
        made = maskplug.strategy(name, **{**rate, **more.pop("options", {})})
        keys = np.arange(SIZES["train"], dtype=np.uint64)
        keys = maskplug.derive(keys, "target") if side == "target" else keys
        tokens = maskplug.TokenBatch.from_lists(self.rows(side), keys)
        vocab = self.vocabulary(side, more.pop("symbol", "auto"))
        moment = {"seed": 7, "epoch": epoch, "step": step, **more}
        return made(tokens, vocab, **moment).inputs.to_lists()


def make_corpus(folder: Path, spelling: str = "▁", sentences: int = 1) -> Corpus:
    """Write a corpus, with so many sentences a source, and run fairseq-preprocess on it."""
    pick = random.Random(5)
    for split, size in SIZES.items():
        for side, language in LANGUAGES.items():
            many = sentences if side == "source" else 1
            lines = [" ".join(sentence(pick, spelling) for _ in range(many)) for _ in range(size)]
            (folder / f"{split}.{language}").write_text("\n".join(lines) + "\n")
    return preprocessed(folder)


def preprocessed(folder: Path) -> Corpus:
    """Run fairseq-preprocess on the texts of a folder."""
    prefixes = [x for split in SIZES for x in (f"--{split}pref", str(folder / split))]
    flags = ["-s", "de", "-t", "en", "--destdir", str(folder / "data-bin"), "--workers", "1"]
    parser = options.get_preprocessing_parser()
    preprocess.main(parser.parse_args([*flags, *prefixes]))
    return Corpus(folder)


@dataclass(frozen=True)
class Fed:
    """One batch that a model was trained on."""

    epoch: int
    update: int
    sample: dict[str, Any]

    def rows(self, name: str, pad: int = 1) -> dict[int, list[int]]:
        """The rows of a field without their padding, by sample id."""
        table = self.sample[name] if name in self.sample else self.sample["net_input"][name]
        return {
            int(i): [x for x in row.tolist() if x != pad]
            for i, row in zip(self.sample["id"], table, strict=True)
        }


@dataclass
class Run:
    """A run: where its checkpoints are, and all that its model was fed, or was validated on."""

    folder: Path
    fed: list[Fed] = field(default_factory=list)
    checked: list[Fed] = field(default_factory=list)
    task: Any = None

    def seen(self, epoch: int, name: str = "src_tokens") -> dict[int, list[int]]:
        """What an epoch (counted from 1) fed, by sample id."""
        found: dict[int, list[int]] = {}
        for batch in self.fed:
            if batch.epoch == epoch:
                found.update(batch.rows(name))
        return found


def train_flags(corpus: Corpus, folder: Path, *flags: str, max_epoch: int = 2) -> list[str]:
    """The command line of a training run; ``flags`` override."""
    masking = [x for k, v in MASKING.items() if k not in flags for x in (k, v)]
    size = [] if "--max-tokens" in flags or "--batch-size" in flags else ["--batch-size", "4"]
    task = [] if "--task" in flags else ["--task", "maskplug_translation"]
    epochs = ["--max-epoch", str(max_epoch)] if max_epoch else []
    where = ["--save-dir", str(folder), "--user-dir", USER_DIR]
    return [corpus.data, *MODEL, *where, *task, *masking, *size, *epochs, *flags]


@contextmanager
def watched(run: Run) -> Iterator[None]:
    """Note every batch that a step is given, and the epoch that it belongs to."""
    now = {"epoch": 0}

    def noted_step(self: Any, sample: Any, *args: Any, **kwargs: Any) -> Any:
        run.fed.append(Fed(now["epoch"], kwargs["update_num"], sample))
        return super(type(self), self).train_step(sample, *args, **kwargs)

    def noted_check(self: Any, sample: Any, *args: Any) -> Any:
        run.checked.append(Fed(now["epoch"], 0, sample))
        return super(type(self), self).valid_step(sample, *args)

    def noted_epoch(self: Any, epoch: int, model: Any) -> None:
        now["epoch"], run.task = epoch, self
        super(type(self), self).begin_epoch(epoch, model)

    noted = {"train_step": noted_step, "valid_step": noted_check, "begin_epoch": noted_epoch}
    for task, name in itertools.product(TASKS, noted):
        setattr(task, name, noted[name])
    try:
        yield
    finally:
        for task, name in itertools.product(TASKS, noted):
            delattr(task, name)


def train(corpus: Corpus, folder: Path, *flags: str, max_epoch: int = 2) -> Run:
    """Run fairseq-train in this process, with its real workers."""
    return trained_by(train_flags(corpus, folder, *flags, max_epoch=max_epoch), folder)


def trained_by(flags: Sequence[str], folder: Path) -> Run:
    """A run by its whole command line."""
    run = Run(folder)
    with watched(run):
        fairseq_train.main(config(list(flags)))
    stop_workers(run.task)
    return run


def stop_workers(task: Any) -> None:
    """Stop a task's data-loading workers; left to the garbage collector, each takes 5 seconds."""
    for iterator in task.dataset_to_epoch_iter.values():
        running = iterator.dataloader and iterator.dataloader._iterator
        if hasattr(running, "_shutdown_workers"):
            running._shutdown_workers()


def config(flags: list[str]) -> Any:
    """The configuration that fairseq-train makes of a command line."""
    args = options.parse_args_and_arch(options.get_training_parser(), flags)
    return convert_namespace_to_omegaconf(args)


def task_of(corpus: Corpus, *flags: str, max_epoch: int = 0) -> MaskplugTranslationTask:
    """The task of a training run, without the run."""
    cfg = config(train_flags(corpus, corpus.folder, *flags, max_epoch=max_epoch))
    task: MaskplugTranslationTask = tasks.setup_task(cfg.task)
    return task


OBSERVER = """
import json, os
import maskplug

@maskplug.hookimpl
def maskplug_after_mask(masked, event):
    line = {"pid": os.getpid(), "t": event.rng.t.tolist(), "keys": event.tokens.keys.tolist(),
            "rows": masked.inputs.to_lists()}
    with open(os.environ["MASKS"], "a") as out:
        out.write(json.dumps(line) + "\\n")
"""


@dataclass(frozen=True)
class Observed:
    """Processes of their own, in which a plugin writes down every mask that is made."""

    folder: Path

    def __post_init__(self) -> None:
        info = self.folder / "observer-1.0.dist-info"
        info.mkdir()
        (self.folder / "observer.py").write_text(OBSERVER)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: observer\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[maskplug]\nobserver = observer\n")

    def start(self, script: str, *arguments: str) -> subprocess.Popen[str]:
        """Start one of fairseq's commands."""
        path = os.pathsep.join([str(self.folder), *filter(None, [os.environ.get("PYTHONPATH")])])
        env = {"PYTHONPATH": path, "MASKS": str(self.folder / "masks")}
        return subprocess.Popen(
            [str(Path(sys.executable).parent / script), *arguments],
            env={**os.environ, **env, "OMP_NUM_THREADS": "1"},
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "masks").read_text().splitlines()]

    def seen(self) -> dict[int, dict[int, list[int]]]:
        """By t and key, what was made of a row; the same in every process, or it fails."""
        found: dict[int, dict[int, list[int]]] = {}
        for line in self.lines:
            for t, key, row in zip(line["t"], line["keys"], line["rows"], strict=True):
                assert found.setdefault(t, {}).setdefault(key, row) == row
        return found

    def processes(self) -> set[int]:
        """The processes that masked."""
        return {line["pid"] for line in self.lines}


def output(process: subprocess.Popen[str], code: int = 0) -> str:
    """All that a process printed, once it has ended with this exit code."""
    text, _ = process.communicate(timeout=240)
    assert process.returncode == code, text
    return text
