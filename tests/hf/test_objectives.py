"""Every objective with models that it is for: the batch, and a few steps of the real Trainer.

A strategy takes one line in OBJECTIVES.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import Trainer

import maskplug
from maskplug.errors import MaskplugWarning
from maskplug_hf import DataCollatorForMasking, attach
from support import hf_models as models
from support import hf_runs as runs
from support import hf_strategies as strategies

ENCODERS = ("bert", "roberta", "xlm", "xlnet")
BERT = ("bert",)  # for labels in place, which all encoders take alike
DECODERS = ("t5", "bart")
ALWAYS = {"input_ids", "attention_mask", "labels"}


@dataclass(frozen=True)
class Objective:
    """A strategy, the families of models that it is for, and what it adds to a batch.

    Attributes:
        strategy: a name or a strategy.
        families: of hf_models.
        keys: what the batch has besides input ids, attention mask and labels, where the model takes
            it.
        options: of the strategy.
        columns: further columns of the features, each made of a row of ids.
        special: special tokens that the tokenizer needs.
    """

    strategy: str | maskplug.Strategy
    families: tuple[str, ...]
    keys: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    columns: Mapping[str, Callable[[list[int]], list[Any]]] = field(default_factory=dict)
    special: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return getattr(self.strategy, "label", self.strategy)


DELETED = {"selector": {"name": "exact", "rate": 0.3}, "replacement": "delete"}
TARGETS = ("decoder_input_ids",)
ORDER = ("perm_mask", "target_mapping")
DIFFUSION = ("loss_weights", "loss_divisors")
MODES = ("[R]", "[S]", "[X]")
FIM = ("<fim_prefix>", "<fim_middle>", "<fim_suffix>")
SPANS = {"salient": lambda row: [i // 3 % 2 for i in range(len(row))]}
SCORES = {"scores": lambda row: [0.5 + i for i in range(len(row))]}
LANGS = {"languages": lambda row: [i * 2 // len(row) for i in range(len(row))]}
SENTENCES = {"sentence_starts": lambda row: [int(i % 4 == 1) for i in range(len(row))]}

OBJECTIVES = [
    Objective("static", BERT),
    Objective("dynamic", ENCODERS, options={"rate": 0.3}),
    Objective("whole_word", BERT),
    Objective("span", BERT, options={"rate": 0.3}),
    Objective("compose", DECODERS, TARGETS, {**DELETED, "target": "chosen"}),
    Objective("compose", DECODERS, TARGETS, {**DELETED, "target": "original"}),
    Objective(strategies.scored(), BERT, columns={"scores": lambda row: [0.9] * len(row)}),
    Objective(strategies.placed(), ENCODERS, ("position_ids", "langs")),
    Objective(strategies.weighted(), ENCODERS, ("loss_weights",)),
    Objective(strategies.ordered(), ("xlnet",), ORDER),
    Objective(strategies.causal(), ("llama",)),
    Objective(strategies.fragment(), ("bart",), TARGETS),
    Objective("bert", BERT),
    Objective("roberta", BERT),
    Objective("ngram", BERT),
    Objective("electra", BERT),
    Objective("salient", BERT, columns=SPANS),
    Objective("weighted", BERT, columns=SCORES),
    Objective("tlm", ENCODERS, ("position_ids", "langs"), columns=LANGS),
    Objective("permutation", ("xlnet",), ORDER),
    Objective("llada", BERT, DIFFUSION),
    Objective("mdlm", BERT, DIFFUSION),
    Objective("block_diffusion", ("roberta",), DIFFUSION),
    Objective("t5", ("t5",), TARGETS),
    Objective("t5_iid", ("t5",), TARGETS),
    Objective("prefix_lm", DECODERS, TARGETS),
    Objective("mass", ("bart",), TARGETS),
    Objective("ul2", ("t5",), TARGETS, special=MODES),
    Objective("fim", ("llama",), special=FIM),
    Objective("fim", ("llama",), options={"level": "character", "rate": 1.0}, special=FIM),
    Objective("bart", ("bart",), TARGETS, columns=SENTENCES),
    Objective("mbart", ("bart",), TARGETS, columns=SENTENCES),
    Objective("deshuffle", DECODERS, TARGETS),
    Objective("gap_sentences", ("bart",), TARGETS, columns=SENTENCES),
    Objective("shuffle", DECODERS, TARGETS),
]
PAIRS = [(objective, name) for objective in OBJECTIVES for name in objective.families]
SEEN_BY_LOSS = {"loss_weights", "loss_divisors"}


class Recorder(Trainer):
    """Keeps the batches and the losses."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.batches: list[Any] = []
        self.losses: list[float] = []

    def training_step(self, model: Any, inputs: Any, *args: Any, **options: Any) -> Any:
        self.batches.append(dict(inputs))
        loss = super().training_step(model, inputs, *args, **options)
        self.losses.append(loss.item())
        return loss


def train(objective: Objective, name: str, folder: Path, steps: int) -> Recorder:
    """A run of an objective with a model of a family."""
    tokenizer, model = models.family(name)
    if objective.special:
        tokenizer.add_special_tokens({"additional_special_tokens": list(objective.special)})
        model.resize_token_embeddings(len(tokenizer))
    data = [
        {"input_ids": row, **{column: make(row) for column, make in objective.columns.items()}}
        for row in models.rows(tokenizer)
    ]
    options = {"optim": "adamw_torch", "learning_rate": 0.01, "max_grad_norm": 1.0}
    options |= {"max_steps": steps, "per_device_train_batch_size": 5, "trainer_class": Recorder}
    with warnings.catch_warnings():  # of annotations that a model does not take
        warnings.simplefilter("ignore", MaskplugWarning)
        collate = DataCollatorForMasking(
            tokenizer, objective.strategy, model=model, **objective.options
        )
        trainer = runs.trainer(folder, collate, data, learner=model, **options)
        attach(trainer)
        trainer.train()
    return trainer  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("objective", "name"), PAIRS, ids=[f"{one.name}-{name}" for one, name in PAIRS]
)
def test_trains(objective: Objective, name: str, tmp_path: Path) -> None:
    trainer = train(objective, name, tmp_path, steps=2)
    assert len(trainer.losses) == 2
    assert np.isfinite(trainer.losses).all()
    info = trainer.data_collator.model_info
    keys = {key for key in objective.keys if key in SEEN_BY_LOSS or info.accepts(key)}
    for batch in trainer.batches:
        assert set(batch) == ALWAYS | keys
        check_shapes(batch)


def check_shapes(batch: Mapping[str, torch.Tensor]) -> None:
    shape, predicted = batch["input_ids"].shape, batch["labels"].shape
    expected = dict.fromkeys(batch, shape)
    expected |= {"labels": predicted, "loss_weights": predicted}
    expected |= {"loss_divisors": shape[:1]}
    expected |= {"perm_mask": (*shape, shape[1]), "target_mapping": (*predicted, shape[1])}
    expected |= {name: predicted for name in batch if name.startswith("decoder_")}
    floats = {"perm_mask", "target_mapping", "loss_weights"}
    for name, tensor in batch.items():
        assert tuple(tensor.shape) == tuple(expected[name]), name
        assert tensor.dtype == (torch.float32 if name in floats else torch.int64), name
    assert (batch["labels"] != -100).any()
    assert set(batch["attention_mask"].unique().tolist()) <= {0, 1}


LEARNED = [("static", "bert"), ("weighted@1", "bert"), ("ordered@1", "xlnet")]
LEARNED += [("causal@1", "llama"), ("compose", "t5"), ("fragment@1", "bart")]


@pytest.mark.parametrize(("strategy", "name"), LEARNED)
def test_models_overfit_five_rows(strategy: str, name: str, tmp_path: Path) -> None:
    objective = next(one for one in OBJECTIVES if one.name == strategy)
    trainer = train(objective, name, tmp_path, steps=80)
    assert np.mean(trainer.losses[-3:]) < 0.8 * np.mean(trainer.losses[:3])
