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
EASY = list(range(10, 20))  #: the word of each even place
HARD = list(range(30, 80))  #: one of these at each odd place, at random


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


def trainer(folder: Path, samples: int = 64, data: Any = None, **options: Any) -> Recorder:
    """A trainer on the toy language, attached."""
    names = ("rate", "every", "momentum", "by", "classes", "clock", "floor", "strategy")
    strategy = {name: options.pop(name) for name in names if name in options}
    strategy = {"strategy": "adaptive", "rate": 0.25, "every": 6, **strategy}
    strategy = {name: value for name, value in strategy.items() if value is not None}
    learner = options.pop("learner", None) or model()
    collate = DataCollatorForMasking(tokenizers.bert(), seed=SEED, **strategy)
    given = {"input_ids": rows(samples), "attention_mask": [[1] * (LENGTH + 2)] * samples}
    made = Recorder(
        model=learner,
        args=runs.arguments(
            folder,
            **{"per_device_train_batch_size": 4, "learning_rate": 0.5, **options},
        ),
        data_collator=collate,
        train_dataset=runs.datasets.Dataset.from_dict({**given, **(data or {})}),
    )
    attach(made)
    return made


def feedback(made: Any) -> LossTrackingCallback:
    """What hears a trainer's losses."""
    callbacks = made.callback_handler.callbacks
    return next(c for c in callbacks if isinstance(c, LossTrackingCallback))


def rows_of(made: Any, first: int = 0) -> list[Any]:
    """What the model was given from a step on."""
    return [(one.step, one.row) for one in made.trained if one.step >= first]


def masked(seen: Iterable[Seen]) -> tuple[int, int]:
    """How many easy and how many hard words were chosen."""
    labels = [label for one in seen for label in one.row[1]]
    return sum(label in EASY for label in labels), sum(label in HARD for label in labels)


def _told(made: Recorder) -> dict[str, Any]:
    state = feedback(made).losses.state_dict()
    told = {name: state[name].tolist() for name in ("scores", "sums", "tables")}
    return {"rows": [(one.step, one.row) for one in made.trained], **told}


def all_runs(folder: Path) -> dict[str, Any]:
    """Return a whole run, one that was cut in the middle of a round, and a first round."""
    seen: dict[str, Any] = {}
    for cut in (False, True):
        learner = trainer(folder, per_device_train_batch_size=2, workers="1", every=5)
        learner.add_callback(SaveAt(13))
        checkpoint = folder / "checkpoint-13"
        learner.train(resume_from_checkpoint=str(checkpoint) if cut else None)
        seen["cut" if cut else "whole"] = _told(learner)
    options = {"per_device_train_batch_size": 2, "every": 5, "learning_rate": 0.0}
    learner = trainer(folder, max_steps=5, **options)
    learner.train()
    seen["first round"] = _told(learner)
    return seen
