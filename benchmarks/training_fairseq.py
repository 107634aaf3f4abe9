"""RoBERTa in fairseq's trainer, with the task ``maskplug_masked_lm`` or fairseq's ``masked_lm``."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import torch
from fairseq import options, tasks
from fairseq.data import Dictionary, indexed_dataset
from fairseq.data.iterators import GroupedIterator
from fairseq.dataclass.utils import convert_namespace_to_omegaconf
from fairseq.logging import metrics
from fairseq.trainer import Trainer

import maskplug_fairseq
from benchmarks.training_steps import Clock, Shape, Spent

OURS = {
    "task": "maskplug_masked_lm",
    "masking-plugin": "dynamic",
    "masking-args": '{"rate": 0.15}',
    "masking-seed": 1,
}
#: The task maskplug_masked_lm is found by the folder of its package.
USER_DIR = str(Path(maskplug_fairseq.__file__).parent)


def train(shape: Shape, ours: bool) -> Spent:
    """Train for a few steps, and say what they took."""
    with tempfile.TemporaryDirectory() as folder:
        write_text(shape, Path(folder))
        trainer = trainer_of(flags(shape, ours, folder))
        return steps(trainer, shape)


def steps(trainer: Trainer, shape: Shape) -> Spent:
    """The loop of fairseq-train, and the time that its batches and steps take."""
    epochs = trainer.get_train_iterator(epoch=1)
    trainer.begin_epoch(1)
    batches, clock = GroupedIterator(epochs.next_epoch_itr(shuffle=True), 1), Clock()
    with metrics.aggregate():
        for _ in range(shape.all_steps):
            with clock.masking():
                samples = next(batches)
            trainer.train_step(samples)
            clock.step_ended()
    return clock.spent()


def trainer_of(command: list[str]) -> Trainer:
    """What fairseq-train makes of a command line."""
    args = options.parse_args_and_arch(options.get_training_parser(), command)
    cfg = convert_namespace_to_omegaconf(args)
    task = tasks.setup_task(cfg.task)
    return Trainer(cfg, task, task.build_model(cfg.model), task.build_criterion(cfg.criterion))


def flags(shape: Shape, ours: bool, folder: str) -> list[str]:
    """A command line of fairseq-train, with neither workers nor a thread that loads ahead."""
    given = {
        "user-dir": USER_DIR,
        "arch": "roberta",
        "encoder-layers": shape.layers,
        "encoder-embed-dim": shape.hidden,
        "encoder-attention-heads": shape.heads,
        "encoder-ffn-embed-dim": 4 * shape.hidden,
        "max-positions": shape.length,
        "tokens-per-sample": shape.length,
        "sample-break-mode": "none",
        "batch-size": shape.rows,
        "required-batch-size-multiple": 1,
        "num-workers": 0,
        "data-buffer-size": 0,
        "criterion": "masked_lm",
        "optimizer": "adam",
        "lr": 0.0001,
        **(OURS if ours else {"task": "masked_lm"}),
    }
    place = [] if torch.cuda.is_available() else ["--cpu"]
    return [
        folder,
        *place,
        *(str(x) for name, value in given.items() for x in (f"--{name}", value)),
    ]


def write_text(shape: Shape, folder: Path) -> None:
    """A binarized text of random words, as fairseq-preprocess writes it: 100 a line."""
    words = Dictionary()
    for i in range(shape.words):
        words.add_symbol(f"▁w{i}" if i % 3 else f"w{i}")
    words.save(str(folder / "dict.txt"))
    lines = -(-shape.samples * shape.length // 100)
    ids = np.random.default_rng(1).integers(words.nspecial, len(words), (lines, 100))
    ids[:, -1] = words.eos()
    text = indexed_dataset.make_builder(str(folder / "train.bin"), "mmap", len(words))
    for line in torch.from_numpy(ids):
        text.add_item(line)
    text.finalize(str(folder / "train.idx"))
