"""Batches in which nothing is predicted: no crash, and no loss that is NaN."""

from __future__ import annotations

import warnings
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf

from maskplug.errors import MaskplugWarning
from maskplug_hf import DataCollatorForMasking, attach
from maskplug_hf.loss import WeightedLoss
from support import hf_models as models
from support import hf_runs as runs
from support import hf_tokenizers as tokenizers
from support.hf_models import SMALL_BART as SMALL

MODELS = [("dynamic", "bert"), ("span", "roberta"), ("dynamic", "xlm"), ("dynamic", "llama")]
MODELS += [("electra", "bert"), ("permutation", "xlnet"), ("llada", "bert"), ("mdlm", "bert")]
MODELS += [("mass", "bart"), ("deshuffle", "mbart"), ("prefix_lm", "t5"), ("t5", "t5")]
ROWS = {"specials": [[0, 2]], "nothing": [[]], "both": [[0, 2], []], "two": [[1, 2]]}


@pytest.fixture(scope="module")
def family() -> Any:
    @cache
    def build(name: str) -> tuple[Any, Any]:
        if name == "mbart":
            return tokenizers.roberta(), hf.MBartForConditionalGeneration(hf.MBartConfig(**SMALL))
        return models.family(name)

    return build


def special_rows(tokenizer: Any, rows: list[list[int]]) -> list[list[int]]:
    """Rows of special tokens only, whatever their ids are here."""
    ids = sorted(set(tokenizer.all_special_ids) - {tokenizer.mask_token_id})
    return [[ids[i % len(ids)] for i in row] for row in rows]


def equal(one: Any, two: Any) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, two, strict=True))


@pytest.mark.parametrize(
    ("strategy", "name", "rows"),
    [*((*one, "both") for one in MODELS), *((*MODELS[0], rows) for rows in ROWS if rows != "both")],
)
@pytest.mark.filterwarnings("ignore::maskplug.errors.MaskplugWarning")
def test_attached_training_takes_a_step_of_zero(
    strategy: str, name: str, rows: str, family: Any, tmp_path: Path
) -> None:
    tokenizer, model = family(name)
    data = [{"input_ids": row} for row in special_rows(tokenizer, ROWS[rows])]
    collate = DataCollatorForMasking(tokenizer, strategy)
    options = {"max_steps": 1, "per_device_train_batch_size": 2}
    trainer = runs.plain_trainer(tmp_path, collate, data, data, learner=model, **options)
    attach(trainer)
    labels = next(iter(trainer.get_train_dataloader()))["labels"]
    before = [parameter.detach().clone() for parameter in model.parameters()]
    loss = trainer.train().training_loss
    assert np.isfinite(loss)
    assert all(torch.isfinite(parameter).all() for parameter in model.parameters())
    if (labels == -100).all():  # a target may hold what ends it
        assert loss == 0
        assert equal(before, model.parameters())
    assert np.isfinite(trainer.evaluate()["eval_loss"])


@pytest.mark.parametrize("strategy", ["dynamic", "llada"])
@pytest.mark.filterwarnings("ignore::maskplug.errors.MaskplugWarning")
def test_a_loss_installed_by_the_user_takes_a_step_of_zero(
    strategy: str, family: Any, tmp_path: Path
) -> None:
    tokenizer, model = family("bert")
    data = [{"input_ids": row} for row in special_rows(tokenizer, ROWS["both"])]
    collate = DataCollatorForMasking(tokenizer, strategy)
    options = {"max_steps": 1, "per_device_train_batch_size": 2}
    trainer = runs.plain_trainer(tmp_path, collate, data, learner=model, **options)
    trainer.compute_loss = WeightedLoss(trainer, mean="samples")
    attach(trainer)
    assert trainer.train().training_loss == 0
    assert all(torch.isfinite(parameter).all() for parameter in model.parameters())


def test_a_first_token_is_not_predicted_by_a_causal_model(family: Any, tmp_path: Path) -> None:
    tokenizer, model = family("llama")
    data = [{"input_ids": [20]}, {"input_ids": [21]}]
    collate = DataCollatorForMasking(tokenizer, "static", rate=1.0, model=model)
    with pytest.warns(MaskplugWarning, match="nothing is predicted"):
        assert (collate(data)["labels"] != -100).all()
    options = {"max_steps": 1, "per_device_train_batch_size": 2}
    trainer = runs.plain_trainer(tmp_path, collate, data, learner=model, **options)
    attach(trainer)
    assert trainer.train().training_loss == 0
    assert all(torch.isfinite(parameter).all() for parameter in model.parameters())


@pytest.mark.parametrize("loss", [{}, *runs.OTHER_LOSSES], ids=list)
@pytest.mark.parametrize("accumulation", [1, 2])
@pytest.mark.parametrize("labels", ["own", "strategy"])
def test_a_batch_without_predictions_among_others(
    loss: dict[str, Any], accumulation: int, labels: str, family: Any, tmp_path: Path
) -> None:
    tokenizer, model = family("bert")
    empty = special_rows(tokenizer, [[0, 2], [0, 2]])
    data: list[dict[str, Any]] = [{"input_ids": row} for row in empty + models.rows(tokenizer)[:2]]
    if labels == "own":
        for row in data:
            row["labels"] = [-100 if i < 5 else 7 for i in row["input_ids"]]
    options = {"gradient_accumulation_steps": accumulation, "per_device_train_batch_size": 2}
    collate = DataCollatorForMasking(tokenizer, "static")
    trainer = runs.plain_trainer(tmp_path, collate, data, learner=model, **options, **loss)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MaskplugWarning)
        attach(trainer)
        assert trainer.train().training_loss > 0
    assert all(torch.isfinite(parameter).all() for parameter in model.parameters())


@pytest.mark.parametrize(("strategy", "name"), MODELS)
def test_unattached_collator_warns_once_of_a_batch_without_predictions(
    strategy: str, name: str, family: Any
) -> None:
    tokenizer, model = family(name)
    samples = [{"input_ids": row, "sample_id": 41} for row in special_rows(tokenizer, [[0, 2]])]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MaskplugWarning)
        collate = DataCollatorForMasking(tokenizer, strategy, model=model)
    collate.set_epoch(0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", MaskplugWarning)
        labels, _ = (collate(samples)["labels"] for _ in range(2))
    messages = [str(one.message) for one in caught if "nothing is predicted" in str(one.message)]
    assert len(messages) == int((labels == -100).all())
    assert all("the first has the key 41" in message for message in messages)
