"""A toy language with easy and hard words, and Trainer runs that learn it by adaptive masks."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import BertConfig, BertForMaskedLM

from maskplug_hf import DataCollatorForMasking, attach
from maskplug_hf.loss_tracking import LossTrackingCallback
from support import hf_runs as runs
from support import hf_tokenizers as tokenizers
from support.hf_runs import Recorder, SaveAt, Seen

SEED = 7
LENGTH = 20  #: of the maskable part of a row, so that a rate of 0.25 is 5 tokens, always
EASY = list(range(10, 20))  #: the word at each even position
HARD = list(range(30, 80))  #: one of these at each odd position, at random
#: Options of the collator; all others are those of the trainer.
OPTIONS = ("rate", "every", "momentum", "by", "classes", "clock", "floor", "strategy")


def rows(samples: int) -> list[list[int]]:
    """[CLS], then an easy and a hard word in turn, [SEP]."""
    random = np.random.default_rng(5)
    words = np.empty((samples, LENGTH), np.int64)
    words[:, ::2] = EASY
    words[:, 1::2] = random.choice(HARD, (samples, LENGTH // 2))
    return [[2, *row, 3] for row in words.tolist()]


def classes(samples: int) -> list[list[int]]:
    """The class of each token: 0 for easy words, 1 for hard ones; none for special tokens."""
    return [[-1, *[0, 1] * (LENGTH // 2), -1]] * samples


def model(width: int = 16) -> Any:
    """The same model in every run."""
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizers.bert()),
        hidden_size=width,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=width,
        max_position_embeddings=32,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    return BertForMaskedLM(config)


def trainer(
    folder: Path, samples: int = 64, data: Any = None, model: Any = model, **options: Any
) -> Recorder:
    """A trainer on the toy language, attached; ``model`` is a function."""
    strategy = {name: options.pop(name) for name in OPTIONS if name in options}
    strategy = {"strategy": "adaptive", "rate": 0.25, "every": 6, **strategy}
    strategy = {name: value for name, value in strategy.items() if value is not None}
    columns = {"input_ids": rows(samples), "attention_mask": [[1] * (LENGTH + 2)] * samples}
    options = {"per_device_train_batch_size": 4, "learning_rate": 0.5, **options}
    attached = Recorder(
        model=model(),
        args=runs.arguments(folder, **options),
        data_collator=DataCollatorForMasking(tokenizers.bert(), seed=SEED, **strategy),
        train_dataset=runs.datasets.Dataset.from_dict({**columns, **(data or {})}),
    )
    attach(attached)
    return attached


def tracking(trainer: Any) -> LossTrackingCallback:
    """The callback that tracks a trainer's losses."""
    callbacks = trainer.callback_handler.callbacks
    return next(c for c in callbacks if isinstance(c, LossTrackingCallback))


def rows_of(trainer: Any, first: int = 0) -> list[Any]:
    """Step and row of each training sample, from a step on."""
    return [(one.step, one.row) for one in trainer.trained if one.step >= first]


def masked(seen: Iterable[Seen]) -> tuple[int, int]:
    """The numbers of easy and of hard words that were masked."""
    labels = [label for one in seen for label in one.row[1]]
    return sum(label in EASY for label in labels), sum(label in HARD for label in labels)


def _record(trainer: Recorder) -> dict[str, Any]:
    state = tracking(trainer).losses.state_dict()
    losses = {name: state[name].tolist() for name in ("scores", "sums", "tables")}
    return {"rows": rows_of(trainer), **losses}


def all_runs(folder: Path) -> dict[str, Any]:
    """Return a whole run, one that was cut in the middle of a round, and a first round."""
    options: dict[str, Any] = {"per_device_train_batch_size": 2, "every": 5}
    records: dict[str, Any] = {}
    for cut in (False, True):
        learner = trainer(folder, workers="1", num_train_epochs=1, **options)
        learner.add_callback(SaveAt(8))
        checkpoint = folder / "checkpoint-8"
        learner.train(resume_from_checkpoint=str(checkpoint) if cut else None)
        records["cut" if cut else "whole"] = _record(learner)
    learner = trainer(folder, max_steps=5, learning_rate=0.0, **options)
    learner.train()
    records["first round"] = _record(learner)
    return records
