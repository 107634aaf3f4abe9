"""BERT in transformers' Trainer, with our collator or with transformers' own."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import Any

import datasets
import torch
from transformers import (
    BertConfig,
    BertForMaskedLM,
    DataCollatorForLanguageModeling,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from benchmarks import wordpiece
from benchmarks.training_steps import Clock, Shape, Spent
from maskplug_hf import DataCollatorForMasking, attach


class StepEnds(TrainerCallback):
    """Tells a clock when steps end."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    def on_step_end(self, *now: Any, **more: Any) -> None:
        """Called by Trainer after the optimizer."""
        self.clock.step_ended()


def clocked(collate: Callable[[Any], Any], clock: Clock) -> Callable[[Any], Any]:
    """The collator, whose time counts as masking."""

    def inner(features: Any) -> Any:
        with clock.masking():
            return collate(features)

    return inner


def train(shape: Shape, ours: bool) -> Spent:
    """Train for a few steps, and say what they took."""
    tokenizer, clock = wordpiece.tokenizer(shape.words), Clock()
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            model=model(shape, len(tokenizer)),
            args=arguments(shape, folder),
            data_collator=collator(tokenizer, ours),
            train_dataset=rows(shape),
            callbacks=[StepEnds(clock)],
        )
        if ours:
            attach(trainer)
        trainer.remove_callback(PrinterCallback)
        trainer.data_collator = clocked(trainer.data_collator, clock)
        trainer.train()
    return clock.spent()


def collator(tokenizer: Any, ours: bool) -> Any:
    """15 % of the tokens, of which 80/10/10."""
    if ours:
        return DataCollatorForMasking(tokenizer, "dynamic", rate=0.15, seed=1)
    return DataCollatorForLanguageModeling(tokenizer, mlm_probability=0.15)


def rows(shape: Shape) -> Any:
    """A `datasets.Dataset` of full rows."""
    return datasets.Dataset.from_list(wordpiece.rows(shape.samples, shape.length, shape.words))


def model(shape: Shape, vocabulary: int) -> Any:
    """BERT with random weights."""
    config = BertConfig(
        vocab_size=vocabulary,
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=4 * shape.hidden,
    )
    return BertForMaskedLM(config)


def arguments(shape: Shape, folder: str) -> TrainingArguments:
    """Nothing but training; on a GPU where there is one."""
    return TrainingArguments(
        output_dir=folder,
        use_cpu=not torch.cuda.is_available(),
        report_to=[],
        disable_tqdm=True,
        logging_strategy="no",
        save_strategy="no",
        max_steps=shape.all_steps,
        per_device_train_batch_size=shape.rows,
        dataloader_num_workers=0,
    )
