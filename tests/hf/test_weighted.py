"""Weights of labels reach the loss."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy
from transformers import Trainer

from maskplug.errors import OptionError
from maskplug_hf import DataCollatorForMasking, attach, weighted_loss
from support import hf_models as models
from support import hf_runs as runs
from support import hf_strategies as strategies


def trainer(folder: Path, strategy: Any, family: str = "bert", **options: Any) -> Any:
    """A trainer whose first step does not move the model."""
    tokenizer, model = models.family(family)
    model.eval()
    data = [{"input_ids": row} for row in models.rows(tokenizer, 4)]
    given = {name: options.pop(name) for name in ("compute_loss_func",) if name in options}
    arguments = {"per_device_train_batch_size": 4, "per_device_eval_batch_size": 4, **options}
    return Trainer(
        model=model,
        args=runs.arguments(folder, **{"max_steps": 1, "learning_rate": 0.0, **arguments}),
        data_collator=DataCollatorForMasking(tokenizer, strategy),
        train_dataset=data,
        eval_dataset=data,
        **given,
    )


def expected(made: Any, shift: bool = False) -> float:
    """Σ w · CE / tokens, one token after the other."""
    collate = DataCollatorForMasking(made.data_collator.tokenizer, made.data_collator.strategy)
    # With the keys that the attached samples have.
    batch = collate([{**item, "sample_id": i} for i, item in enumerate(made.train_dataset.dataset)])
    with torch.no_grad():
        logits = made.model(batch["input_ids"], batch["attention_mask"]).logits
    total = 0.0
    for row, (labels, weights) in enumerate(
        zip(batch["labels"].tolist(), batch["loss_weights"].tolist(), strict=True)
    ):
        for place, (label, weight) in enumerate(zip(labels, weights, strict=True)):
            if label >= 0 and weight:
                at = logits[row, place - 1 if shift else place]
                total += weight * -torch.log_softmax(at, -1)[label].item()
    return total / batch["attention_mask"].sum().item()


@pytest.mark.parametrize("family", ["bert", "llama"])
def test_trainer_evaluates_the_weighted_loss(family: str, tmp_path: Path) -> None:
    made = trainer(tmp_path, strategies.weighted(), family)
    attach(made)
    loss = made.evaluate()["eval_loss"]
    assert loss == pytest.approx(expected(made, shift=family == "llama"), rel=1e-5)


def without_dropout(made: Any) -> Any:
    for module in made.model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return made


@pytest.mark.parametrize("accumulation", [1, 2])
def test_trainer_trains_on_the_weighted_loss(accumulation: int, tmp_path: Path) -> None:
    made = without_dropout(
        trainer(
            tmp_path,
            strategies.weighted(),
            per_device_train_batch_size=4 // accumulation,
            gradient_accumulation_steps=accumulation,
        )
    )
    attach(made)
    loss = made.train().training_loss
    # The mean of the batches' means: not quite that of all tokens.
    assert loss == pytest.approx(expected(made), rel=1e-5 if accumulation == 1 else 0.1)


def test_gradients_are_those_of_the_weights(tmp_path: Path) -> None:
    """Where all weights are 0, nothing is learned; without attach the model ignores them."""
    zero = strategies.made("zero", strategies.Weighted(Silenced()))
    made = trainer(tmp_path, zero, learning_rate=0.1)
    before = [p.clone() for p in made.model.parameters()]
    attach(made)
    assert made.train().training_loss == 0.0
    assert all(torch.equal(a, b) for a, b in zip(before, made.model.parameters(), strict=True))


class Silenced(strategies.Labels):
    """Labels at the first tokens of rows only, whose place is 0."""

    def build(self, tokens: Any, selection: Any, inputs: Any, *rest: Any) -> Any:
        labels = np.full(len(tokens.ids), -100)
        labels[tokens.offsets[:-1]] = tokens.ids[tokens.offsets[:-1]]
        rows = strategies.Ragged(labels, tokens.offsets)
        return strategies.Masked(inputs, selection, labels=rows)


def test_other_batches_are_left_to_the_trainer(tmp_path: Path) -> None:
    losses = []
    for attached in (False, True):
        made = trainer(tmp_path, "static")
        if attached:
            attach(made)
            attach(made)
        made.train_dataset = made.eval_dataset = Keyed(made.train_dataset)
        losses.append(made.evaluate()["eval_loss"])
    assert losses[0] == losses[1]


class Keyed(torch.utils.data.Dataset):  # type: ignore[type-arg]
    """The same keys with and without attach."""

    def __init__(self, dataset: Any) -> None:
        self.dataset = getattr(dataset, "dataset", dataset)

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, i: int) -> Any:
        return dict(self.dataset[i])


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"label_smoothing_factor": 0.1}, "label_smoothing_factor"),
        ({"compute_loss_func": lambda outputs, *a, **k: outputs.logits.sum()}, "compute_loss_func"),
    ],
)
def test_other_losses_of_trainer_are_refused_with_weights(
    options: dict[str, Any], name: str, tmp_path: Path
) -> None:
    made = trainer(tmp_path, strategies.weighted(), **options)
    attach(made)
    with pytest.raises(OptionError, match=f"trainer's {name} ignores"):
        made.train()
    plain = trainer(tmp_path, "static", **options)
    attach(plain)
    plain.train()


def test_weighted_loss_in_a_plain_training_loop() -> None:
    logits = torch.randn(2, 3, 7, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([[1, -100, 2], [-100, 3, -100]])
    weights = torch.tensor([[0.5, 0.0, 2.0], [0.0, 4.0, 0.0]])
    seen = torch.tensor([[1, 1, 1], [1, 1, 0]])
    each = cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none")
    total = (each * weights.flatten()).sum()
    for outputs in ({"logits": logits}, (logits,)):
        assert torch.isclose(weighted_loss(outputs, labels, weights, seen), total / 5)
    assert torch.isclose(weighted_loss((logits,), labels, weights), total / 6)
    each = cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), reduction="none")
    total = (each * weights[:, 1:].flatten()).sum()
    shifted = weighted_loss((logits,), labels, weights, seen, shift=True)
    assert torch.isclose(shifted, total / 5)
    half = weighted_loss((logits.to(torch.bfloat16),), labels, weights, seen)
    assert half.dtype == torch.float32


def test_a_model_that_takes_weights_gets_them(tmp_path: Path) -> None:
    made = trainer(tmp_path, strategies.weighted())
    seen = []

    class Own(type(made.model)):  # type: ignore[misc]
        def forward(self, input_ids: Any = None, loss_weights: Any = None, **others: Any) -> Any:
            seen.append(loss_weights)
            return super().forward(input_ids, **others)

    made.model.__class__ = Own
    attach(made)
    made.train()
    assert seen
    assert (seen[0] > 0).any()
