"""What a weighted loss is divided by: the tokens that can be masked, and not the prompt."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy
from transformers import Trainer

import maskplug
from maskplug.errors import OptionError
from maskplug_hf import DataCollatorForMasking, DataCollatorForPacking, attach, weighted_loss
from maskplug_hf.loss import WeightedLoss
from support import hf_models as models
from support import hf_runs as runs
from support import hf_tokenizers as tokenizers

TOKENIZER = tokenizers.bert()
CLS, SEP, SIZE = 2, 3, len(TOKENIZER)
STRATEGIES = ["llada", "mdlm", "block_diffusion"]
#: Answers that end with [SEP], and how long the prompts before them are.
ANSWERS = [[*range(10, 10 + n), SEP] for n in (4, 19, 1, 8, 0, 30)]
PROMPTS = [3, 12, 7, 1, 5, 2]


def features(prompts: list[int], answers: list[list[int]] = ANSWERS) -> list[dict[str, Any]]:
    return [
        {
            "input_ids": [
                CLS,
                *range(20, 20 + prompt % 90),
                *[30] * (prompt - prompt % 90),
                *answer,
            ],
            "protected": [1] * (prompt + 1) + [0] * len(answer),
            "sample_id": i,
        }
        for i, (prompt, answer) in enumerate(zip(prompts, answers, strict=True))
    ]


def collated(rows: Any, strategy: str = "llada", pack: bool = False, **options: Any) -> Any:
    if pack:
        collate: Any = DataCollatorForPacking(TOKENIZER, strategy, max_length=64, **options)
    else:
        collate = DataCollatorForMasking(TOKENIZER, strategy, **options)
    collate.set_epoch(0)
    return collate(rows)


def loss_of(batch: Any, logits: torch.Tensor | None = None, **options: Any) -> float:
    """The loss of logits that say nothing, or of these."""
    shape = (*batch["labels"].shape, SIZE)
    return weighted_loss(
        (torch.zeros(shape) if logits is None else logits,),
        batch["labels"],
        batch["loss_weights"],
        batch["attention_mask"],
        loss_divisors=batch["loss_divisors"],
        **options,
    ).item()


@pytest.mark.parametrize("mask_special", [False, True])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_divisors_count_what_can_be_masked(strategy: str, mask_special: bool) -> None:
    batch = collated(features(PROMPTS), strategy, mask_special=mask_special)
    wanted = [len(answer) - 1 + mask_special for answer in ANSWERS]
    assert batch["loss_divisors"].tolist() == wanted
    assert batch["loss_divisors"].dtype == torch.int64
    packed = collated(features(PROMPTS), strategy, pack=True, mask_special=mask_special)
    assert packed["loss_divisors"].shape[0] == len(packed["input_ids"])
    assert sorted(n for n in packed["loss_divisors"].flatten().tolist() if n) == sorted(
        n for n in wanted if n
    )


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("mean", ["tokens", "samples"])
def test_the_length_of_the_prompt_does_not_matter(strategy: str, mean: Any) -> None:
    losses = [
        loss_of(collated(features([prompt] * len(ANSWERS)), strategy, mask_special=True), mean=mean)
        for prompt in (0, 10, 1000)
    ]
    assert losses[0] > 0
    assert losses == pytest.approx([losses[0]] * 3, rel=1e-6)


@pytest.mark.parametrize("mean", ["tokens", "samples"])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_packed_rows_have_the_loss_of_padded_ones(strategy: str, mean: Any) -> None:
    padded = collated(features(PROMPTS), strategy)
    packed = collated(features(PROMPTS), strategy, pack=True)
    losses = [
        loss_of(batch, mean=mean, document_ids=batch.get("document_ids"))
        for batch in (padded, packed)
    ]
    assert losses[1] == pytest.approx(losses[0], rel=1e-6)
    # By hand, of logits that say nothing: log(SIZE) for each label.
    sums = (padded["loss_weights"].sum(1) * np.log(SIZE)).tolist()
    counts = [len(answer) - 1 for answer in ANSWERS]
    each = [total / n for total, n in zip(sums, counts, strict=True) if n]
    by_hand = sum(sums) / sum(counts) if mean == "tokens" else sum(each) / len(each)
    assert losses[0] == pytest.approx(by_hand, rel=1e-5)


def masks(p: float, prompt: int, answer: list[int]) -> Iterator[tuple[float, Any]]:
    """Every mask of an answer whose tokens are masked with probability p, with its probability."""
    rows = features([prompt] * 6000, [answer] * 6000)
    batch = collated(rows, "block_diffusion", low=p, high=p, block=len(answer), mask_special=True)
    labelled = batch["labels"] != -100
    for mask in torch.unique(labelled, dim=0):
        i = int((labelled == mask).all(1).nonzero()[0])
        k = int(mask.sum())
        row = {name: batch[name][i : i + 1] for name in batch if name != "block"}
        yield p**k * (1 - p) ** (len(answer) - k), row


@pytest.mark.parametrize("p", [0.3, 0.6])
@pytest.mark.parametrize("prompt", [0, 2, 50])
def test_the_loss_is_unbiased_by_enumeration(p: float, prompt: int) -> None:
    answer = [10, 11, 12, 13, SEP]
    logits = torch.randn(1, 1 + prompt + 5, SIZE, generator=torch.Generator().manual_seed(prompt))
    every = list(masks(p, prompt, answer))
    assert len(every) == 2 ** len(answer)
    assert sum(probability for probability, _ in every) == pytest.approx(1.0)
    mean = cross_entropy(logits[0, 1 + prompt :], torch.tensor(answer)).item()
    for which in ("tokens", "samples"):
        expected = sum(q * loss_of(row, logits, mean=which) for q, row in every)
        assert expected == pytest.approx(mean, rel=1e-5)


def test_batches_without_anything_to_mask_have_the_loss_0() -> None:
    answers = [[SEP], []]
    for pack in (False, True):
        batch = collated(features([4, 2], answers), pack=pack)
        assert batch["loss_divisors"].sum() == 0
        logits = torch.zeros((*batch["labels"].shape, SIZE), requires_grad=True)
        for mean in ("tokens", "samples"):
            loss = weighted_loss(
                (logits,),
                batch["labels"],
                batch["loss_weights"],
                loss_divisors=batch["loss_divisors"],
                document_ids=batch.get("document_ids"),
                mean=mean,  # type: ignore[arg-type]
            )
            loss.backward()  # type: ignore[no-untyped-call]
            assert loss.item() == 0.0
            assert logits.grad is not None
            assert (logits.grad == 0).all()


def test_wrong_arguments_are_refused() -> None:
    packed = collated(features(PROMPTS), pack=True)
    with pytest.raises(OptionError, match=r"pass loss_divisors=batch\[\"loss_divisors\"\]"):
        loss_of({**packed, "loss_divisors": None}, mean="samples")
    with pytest.raises(OptionError, match=r"needs document_ids=batch\[\"document_ids\"\] as well"):
        loss_of(packed, mean="samples")
    with pytest.raises(OptionError, match="mean is 'rows'; choices: 'tokens', 'samples'"):
        loss_of(packed, mean="rows")
    with pytest.raises(OptionError, match="mean is 'batch'"):
        WeightedLoss(None, mean="batch")  # type: ignore[arg-type]


def test_loss_of_a_mixture_is_the_sum_of_its_losses() -> None:
    """Labels without weights count as in a mean of their own, whichever rows are beside them."""
    mixture = maskplug.strategy("mixture", strategies=["dynamic", "llada"])
    rows = features(PROMPTS)
    for count in range(1, len(rows) + 1):
        batch = collated(rows[:count], mixture)  # type: ignore[arg-type]
        assert batch["loss_divisors"].shape == (count,)
        plain = (batch["loss_weights"] == (batch["labels"] != -100)).all(1)
        labels = (batch["labels"] != -100).sum(1)
        assert (
            batch["loss_divisors"][plain]
            <= batch["loss_divisors"].new_tensor([len(answer) - 1 for answer in ANSWERS[:count]])[
                plain
            ]
        ).all()
        assert (labels <= batch["loss_divisors"]).all()


def sft_trainer(folder: Path, mean: Any, samples: int, **options: Any) -> Any:
    tokenizer, model = models.family("bert")
    model.eval()
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    made = Trainer(
        model=model,
        args=runs.arguments(
            folder,
            max_steps=1,
            learning_rate=0.0,
            per_device_eval_batch_size=samples,
            remove_unused_columns=False,
            **options,
        ),
        data_collator=DataCollatorForMasking(tokenizer, "llada", mask_special=True),
        train_dataset=features(PROMPTS[:samples], ANSWERS[:samples]),
        eval_dataset=features(PROMPTS[:samples], ANSWERS[:samples]),
    )
    if mean is not None:
        made.compute_loss = WeightedLoss(made, mean=mean)
    attach(made)
    return made


@pytest.mark.parametrize("mean", [None, "tokens", "samples"])
def test_trainer_divides_by_what_can_be_masked(mean: Any, tmp_path: Path) -> None:
    samples = 4
    made = sft_trainer(tmp_path, mean, samples, per_device_train_batch_size=samples)
    batch = collated(features(PROMPTS[:samples], ANSWERS[:samples]), mask_special=True)
    with torch.no_grad():
        logits = made.model(batch["input_ids"], batch["attention_mask"]).logits
    expected = loss_of(batch, logits, mean=mean or "tokens")
    assert made.evaluate()["eval_loss"] == pytest.approx(expected, rel=1e-5)
    assert made.train().training_loss == pytest.approx(expected, rel=1e-5)


def test_accumulated_batches_are_averaged(tmp_path: Path) -> None:
    """Samples of one number each: the mean over samples is that of any batches."""
    options = {"per_device_train_batch_size": 1, "gradient_accumulation_steps": 4}
    made = sft_trainer(tmp_path, "samples", 4, **options)
    batch = collated(features(PROMPTS[:4], ANSWERS[:4]), mask_special=True)
    with torch.no_grad():
        logits = made.model(batch["input_ids"], batch["attention_mask"]).logits
    expected = loss_of(batch, logits, mean="samples")
    assert made.train().training_loss == pytest.approx(expected, rel=1e-5)


def test_a_model_that_takes_weights_gets_no_divisors(tmp_path: Path) -> None:
    made = sft_trainer(tmp_path, None, 2, per_device_train_batch_size=2)
    seen = []

    class Own(type(made.model)):  # type: ignore[misc]
        def forward(
            self,
            input_ids: Any = None,
            attention_mask: Any = None,
            labels: Any = None,
            loss_weights: Any = None,
        ) -> Any:
            seen.append(loss_weights)
            return super().forward(input_ids, attention_mask, labels=labels)

    made.model.__class__ = Own
    made.compute_loss = WeightedLoss(made)
    attach(made)
    made.train()
    assert seen
