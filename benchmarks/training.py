"""Measure the share of a training step that masking takes, in Hugging Face and in fairseq.

A step lasts from the end of an optimizer step to the end of the next one, without data-loading
workers, so that making the batch is part of it. "of which masking" is the time inside the collator
in Hugging Face; in fairseq, whose own task masks while it reads, it is the time to make the batch.
The rest of a step is the same work of the model on both sides, and so the minimum of both is used:
otherwise noise in one run would look like a different share. The model uses all cores or a GPU, the
masking one thread.
"""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.inputs import WORDS, fairseq_dictionary, random_rows, tokenizer, write_fairseq
from benchmarks.timing import Row

#: In the first step, everything is compiled and allocated.
UNCOUNTED_STEPS = 1


@dataclass(frozen=True)
class Shape:
    """A model, its batches, and the number of steps that are counted."""

    layers: int
    hidden: int
    heads: int
    steps: int
    rows: int = 8
    length: int = 128
    words: int = WORDS

    @property
    def samples(self) -> int:
        """The rows for all steps in one epoch, and for loaders that are a batch ahead."""
        return self.rows * (self.steps + UNCOUNTED_STEPS + 2)


SHAPES = (
    Shape(layers=2, hidden=128, heads=2, steps=6),
    Shape(layers=12, hidden=768, heads=12, steps=2),
)
TOY = Shape(layers=1, hidden=16, heads=2, rows=2, length=16, words=500, steps=3)


@dataclass
class Clock:
    """The ends of the steps, and the time that masking had taken by then."""

    masked: float = 0.0
    ends: list[tuple[float, float]] = field(default_factory=list)

    @contextmanager
    def masking(self) -> Iterator[None]:
        """Count the time of the context as masking."""
        begin = time.perf_counter()
        yield
        self.masked += time.perf_counter() - begin

    def step_ended(self) -> None:
        """Note the end of a step."""
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.ends.append((time.perf_counter(), self.masked))

    def minimum(self) -> tuple[float, float]:
        """Return the least seconds per step for masking and for the rest."""
        counted = itertools.pairwise(self.ends[UNCOUNTED_STEPS - 1 :])
        spans = [(after[1] - before[1], after[0] - before[0]) for before, after in counted]
        return min(masking for masking, _ in spans), min(step - m for m, step in spans)


Train = Callable[[Shape, bool], Clock]


def measure(small: bool) -> list[Row]:
    """Train every model in both frameworks with both kinds of masking."""
    frameworks = {
        "Hugging Face": (train_hf, "transformers"),
        "fairseq": (train_fairseq, "fairseq masked_lm"),
    }
    return [
        row
        for shape in ((TOY,) if small else SHAPES)
        for framework, (train, peer) in frameworks.items()
        for row in rows(framework, peer, shape, train)
    ]


def rows(framework: str, peer: str, shape: Shape, train: Train) -> list[Row]:
    """Return the rows of both sides of a framework."""
    spent = {name: train(shape, name == "maskplug").minimum() for name in ("maskplug", peer)}
    rest = min(rest for _, rest in spent.values())
    return [
        {
            "framework": framework,
            "masking": name,
            "layers": shape.layers,
            "hidden": shape.hidden,
            "batch": f"{shape.rows} × {shape.length}",
            "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
            "seconds a step": rest + masking,
            "of which masking": masking,
            "share, %": 100 * masking / (rest + masking),
            "tokens/s": shape.rows * shape.length / (rest + masking),
        }
        for name, (masking, _) in spent.items()
    ]


def train_hf(shape: Shape, ours: bool) -> Clock:
    """Train BERT in transformers' Trainer, with our collator or that of transformers."""
    import datasets
    from transformers import (
        BertConfig,
        BertForMaskedLM,
        DataCollatorForLanguageModeling,
        PrinterCallback,
        Trainer,
        TrainerCallback,
        TrainingArguments,
    )

    from maskplug_hf import DataCollatorForMasking, attach

    clock, reader = Clock(), tokenizer(shape.words)

    class StepEnds(TrainerCallback):
        def on_step_end(self, *arguments: Any, **more: Any) -> None:
            clock.step_ended()

    config = BertConfig(
        vocab_size=len(reader),
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=4 * shape.hidden,
    )
    if ours:
        collate: Any = DataCollatorForMasking(reader, "dynamic", rate=0.15, seed=1)
    else:
        collate = DataCollatorForLanguageModeling(reader, mlm_probability=0.15)
    with tempfile.TemporaryDirectory() as folder:
        args = TrainingArguments(
            output_dir=folder,
            use_cpu=not torch.cuda.is_available(),
            report_to=[],
            disable_tqdm=True,
            logging_strategy="no",
            save_strategy="no",
            max_steps=shape.steps + UNCOUNTED_STEPS,
            per_device_train_batch_size=shape.rows,
        )
        features = random_rows(shape.samples, shape.length, shape.words)
        trainer = Trainer(
            model=BertForMaskedLM(config),
            args=args,
            data_collator=collate,
            train_dataset=datasets.Dataset.from_list(features),
            callbacks=[StepEnds()],
        )
        if ours:
            attach(trainer)
        trainer.remove_callback(PrinterCallback)
        collate = trainer.data_collator

        def clocked(features: Any) -> Any:
            with clock.masking():
                return collate(features)

        trainer.data_collator = clocked
        trainer.train()
    return clock


def train_fairseq(shape: Shape, ours: bool) -> Clock:
    """Train RoBERTa in fairseq, with the task ``maskplug_masked_lm`` or fairseq's ``masked_lm``."""
    from fairseq import options, tasks
    from fairseq.data.iterators import GroupedIterator
    from fairseq.dataclass.utils import convert_namespace_to_omegaconf
    from fairseq.logging import metrics
    from fairseq.trainer import Trainer

    clock, words = Clock(), fairseq_dictionary(shape.words)
    lines = -(-shape.samples * shape.length // 100)
    ids = np.random.default_rng(1).integers(words.nspecial, len(words), (lines, 99))
    with tempfile.TemporaryDirectory() as folder:
        write_fairseq(Path(folder), words, ids)
        command = fairseq_command(shape, ours, folder)
        args = options.parse_args_and_arch(options.get_training_parser(), command)
        cfg = convert_namespace_to_omegaconf(args)
        task = tasks.setup_task(cfg.task)
        model, criterion = task.build_model(cfg.model), task.build_criterion(cfg.criterion)
        trainer = Trainer(cfg, task, model, criterion)
        epochs = trainer.get_train_iterator(epoch=1)
        trainer.begin_epoch(1)
        batches = GroupedIterator(epochs.next_epoch_itr(shuffle=True), 1)
        with metrics.aggregate():
            for _ in range(shape.steps + UNCOUNTED_STEPS):
                with clock.masking():
                    samples = next(batches)
                trainer.train_step(samples)
                clock.step_ended()
    return clock


def fairseq_command(shape: Shape, ours: bool, folder: str) -> list[str]:
    """Return the arguments of fairseq-train, without workers and without a buffer."""
    import maskplug_fairseq

    masking = ["--masking-plugin", "dynamic", "--masking-args", '{"rate": 0.15}']
    task = ["--task", "maskplug_masked_lm", *masking] if ours else ["--task", "masked_lm"]
    flags = f"""
        --arch roberta --encoder-layers {shape.layers} --encoder-embed-dim {shape.hidden}
        --encoder-attention-heads {shape.heads} --encoder-ffn-embed-dim {4 * shape.hidden}
        --max-positions {shape.length} --tokens-per-sample {shape.length}
        --sample-break-mode none --batch-size {shape.rows} --required-batch-size-multiple 1
        --num-workers 0 --data-buffer-size 0 --criterion masked_lm --optimizer adam --lr 0.0001
        {"" if torch.cuda.is_available() else "--cpu"}
    """
    user_dir = str(Path(maskplug_fairseq.__file__).parent)
    return [folder, "--user-dir", user_dir, *task, *flags.split()]
