"""Batches in which nothing is predicted: no crash, and no loss that is NaN."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from transformers import Trainer

from maskplug.errors import MaskplugWarning
from maskplug_hf import DataCollatorForMasking, attach
from support import hf_models as models
from support import hf_runs as runs
from support.hf_models import SMALL_BART as SMALL

MODELS = [("dynamic", "bert"), ("span", "roberta"), ("dynamic", "xlm"), ("dynamic", "llama")]
MODELS += [("electra", "bert"), ("permutation", "xlnet"), ("llada", "bert"), ("mdlm", "bert")]
MODELS += [("mass", "bart"), ("deshuffle", "mbart"), ("prefix_lm", "t5"), ("t5", "t5")]
ROWS = {"specials": [[0, 2]], "nothing": [[]], "both": [[0, 2], []], "two": [[1, 2]]}


@pytest.fixture(scope="module")
def family() -> Any:
    found: dict[str, Any] = {}

    def made(name: str) -> tuple[Any, Any]:
        if name not in found:
            found[name] = models.family("bart" if name == "mbart" else name)
            if name == "mbart":
                model = hf.MBartForConditionalGeneration(hf.MBartConfig(**SMALL))
                found[name] = (found[name][0], model)
        return found[name]

    return made


def special_rows(tokenizer: Any, rows: list[list[int]]) -> list[list[int]]:
    """Rows of special tokens only, whatever their ids are here."""
    ids = sorted(set(tokenizer.all_special_ids) - {tokenizer.mask_token_id})
    return [[ids[i % len(ids)] for i in row] for row in rows]


def equal(one: Any, two: Any) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, two, strict=True))


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize(("strategy", "name"), MODELS)
@pytest.mark.filterwarnings("ignore::maskplug.errors.MaskplugWarning")
def test_attached_training_takes_a_step_of_zero(
    strategy: str, name: str, rows: str, family: Any, tmp_path: Path
) -> None:
    tokenizer, model = family(name)
    data = [{"input_ids": row} for row in special_rows(tokenizer, ROWS[rows])]
    trainer = Trainer(
        model=model,
        args=runs.arguments(tmp_path, max_steps=1, per_device_train_batch_size=2),
        data_collator=DataCollatorForMasking(tokenizer, strategy),
        train_dataset=data,
        eval_dataset=data,
    )
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


def test_a_first_token_is_not_predicted_by_a_causal_model(family: Any, tmp_path: Path) -> None:
    tokenizer, model = family("llama")
    data = [{"input_ids": [20]}, {"input_ids": [21]}]
    collate = DataCollatorForMasking(tokenizer, "static", rate=1.0, model=model)
    with pytest.warns(MaskplugWarning, match="nothing is predicted"):
        assert (collate(data)["labels"] != -100).all()
    trainer = Trainer(
        model=model,
        args=runs.arguments(tmp_path, max_steps=1, per_device_train_batch_size=2),
        data_collator=collate,
        train_dataset=data,
    )
    attach(trainer)
    assert trainer.train().training_loss == 0
    assert all(torch.isfinite(parameter).all() for parameter in model.parameters())


def smooth(outputs: Any, labels: Any, num_items_in_batch: Any = None) -> Any:
    return torch.nn.functional.cross_entropy(outputs.logits.flatten(0, 1), labels.flatten())


LOSSES: list[dict[str, Any]] = [{}, {"label_smoothing_factor": 0.1}, {"compute_loss_func": smooth}]


@pytest.mark.parametrize("loss", LOSSES, ids=["plain", "smoothed", "own function"])
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
    options = dict(loss)
    function = options.pop("compute_loss_func", None)
    options |= {"gradient_accumulation_steps": accumulation, "num_train_epochs": 2}
    trainer = Trainer(
        model=model,
        args=runs.arguments(tmp_path, per_device_train_batch_size=2, **options),
        data_collator=DataCollatorForMasking(tokenizer, "static"),
        train_dataset=data,
        compute_loss_func=function,
    )
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
    given = [{"input_ids": row, "sample_id": 41} for row in special_rows(tokenizer, [[0, 2]])]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MaskplugWarning)
        collate = DataCollatorForMasking(tokenizer, strategy, model=model)
    collate.set_epoch(0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", MaskplugWarning)
        labels, _ = (collate(given)["labels"] for _ in range(2))
    said = [str(one.message) for one in caught if "nothing is predicted" in str(one.message)]
    assert len(said) == int((labels == -100).all())
    assert all("the first has the key 41" in message for message in said)
