"""Weighted labels: the loss, its divisor (the tokens that can be masked), and Trainer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

import maskplug
from maskplug.errors import OptionError
from maskplug_hf import DataCollatorForMasking, DataCollatorForPacking, attach, weighted_loss
from maskplug_hf.loss import WeightedLoss
from support import hf_models as models
from support import hf_runs as runs
from support import hf_strategies as strategies
from support import hf_tokenizers as tokenizers

TOKENIZER = tokenizers.bert()
CLS, SEP, SIZE = 2, 3, len(TOKENIZER)
STRATEGIES = ["llada", "mdlm", "block_diffusion"]
#: Answers that end with [SEP], and the lengths of the prompts before them.
ANSWERS = [[*range(10, 10 + n), SEP] for n in (4, 19, 1, 8, 0, 30)]
PROMPTS = [3, 12, 7, 1, 5, 2]
means = pytest.mark.parametrize("mean", ["tokens", "samples"])


def features(prompts: list[int], answers: list[list[int]] = ANSWERS) -> list[dict[str, Any]]:
    return [
        {
            "input_ids": [CLS, *np.resize(np.arange(20, 110), prompt).tolist(), *answer],
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
    """The loss of uniform predictions, or of these logits."""
    shape = (*batch["labels"].shape, SIZE)
    return weighted_loss(
        (torch.zeros(shape) if logits is None else logits,),
        batch["labels"],
        batch["loss_weights"],
        batch["attention_mask"],
        loss_divisors=batch["loss_divisors"],
        **options,
    ).item()


# --- the loss ------------------------------------------------------------------------------------


def test_weighted_loss_in_a_plain_training_loop() -> None:
    logits = torch.randn(2, 3, 7, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([[1, -100, 2], [-100, 3, -100]])
    weights = torch.tensor([[0.5, 0.0, 2.0], [0.0, 4.0, 0.0]])
    visible = torch.tensor([[1, 1, 1], [1, 1, 0]])
    losses = cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none")
    total = (losses * weights.flatten()).sum()
    for outputs in ({"logits": logits}, (logits,)):
        assert torch.isclose(weighted_loss(outputs, labels, weights, visible), total / 5)
    assert torch.isclose(weighted_loss((logits,), labels, weights), total / 6)
    losses = cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), reduction="none")
    total = (losses * weights[:, 1:].flatten()).sum()
    shifted = weighted_loss((logits,), labels, weights, visible, shift=True)
    assert torch.isclose(shifted, total / 5)
    half = weighted_loss((logits.to(torch.bfloat16),), labels, weights, visible)
    assert half.dtype == torch.float32


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


# --- divisors ------------------------------------------------------------------------------------


@pytest.mark.parametrize("mask_special", [False, True])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_divisors_count_tokens_that_can_be_masked(strategy: str, mask_special: bool) -> None:
    batch = collated(features(PROMPTS), strategy, mask_special=mask_special)
    counts = [len(answer) - 1 + mask_special for answer in ANSWERS]
    assert batch["loss_divisors"].tolist() == counts
    assert batch["loss_divisors"].dtype == torch.int64
    packed = collated(features(PROMPTS), strategy, pack=True, mask_special=mask_special)
    divisors = packed["loss_divisors"]
    assert len(divisors) == len(packed["input_ids"])
    assert sorted(divisors[divisors > 0].tolist()) == sorted(filter(None, counts))


@pytest.mark.parametrize("strategy", STRATEGIES)
@means
def test_the_length_of_the_prompt_does_not_matter(strategy: str, mean: Any) -> None:
    losses = [
        loss_of(collated(features([prompt] * len(ANSWERS)), strategy, mask_special=True), mean=mean)
        for prompt in (0, 10, 1000)
    ]
    assert losses[0] > 0
    assert losses == pytest.approx([losses[0]] * 3, rel=1e-6)


@means
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_packed_rows_have_the_loss_of_padded_ones(strategy: str, mean: Any) -> None:
    padded = collated(features(PROMPTS), strategy)
    packed = collated(features(PROMPTS), strategy, pack=True)
    losses = [
        loss_of(batch, mean=mean, document_ids=batch.get("document_ids"))
        for batch in (padded, packed)
    ]
    assert losses[1] == pytest.approx(losses[0], rel=1e-6)
    # By hand, of uniform predictions: log(SIZE) for each label.
    sums = (padded["loss_weights"].sum(1) * np.log(SIZE)).tolist()
    counts = [len(answer) - 1 for answer in ANSWERS]
    each = [total / n for total, n in zip(sums, counts, strict=True) if n]
    by_hand = sum(sums) / sum(counts) if mean == "tokens" else sum(each) / len(each)
    assert losses[0] == pytest.approx(by_hand, rel=1e-5)


def masks(p: float, prompt: int, answer: list[int]) -> Iterator[tuple[float, Any]]:
    """Every mask of an answer whose tokens are masked with probability p, with its probability."""
    rows = features([prompt] * 3000, [answer] * 3000)
    batch = collated(rows, "block_diffusion", low=p, high=p, block=len(answer), mask_special=True)
    labelled = batch["labels"] != -100
    for mask in torch.unique(labelled, dim=0):
        i = int((labelled == mask).all(1).nonzero()[0])
        k = int(mask.sum())
        row = {name: batch[name][i : i + 1] for name in batch if name != "block"}
        yield p**k * (1 - p) ** (len(answer) - k), row


@pytest.mark.parametrize(("p", "prompt"), [(0.3, 0), (0.6, 0), (0.4, 2), (0.5, 50)])
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


@means
@pytest.mark.parametrize("pack", [False, True])
def test_batches_without_anything_to_mask_have_the_loss_0(pack: bool, mean: Any) -> None:
    batch = collated(features([4, 2], [[SEP], []]), pack=pack)
    assert batch["loss_divisors"].sum() == 0
    logits = torch.zeros((*batch["labels"].shape, SIZE), requires_grad=True)
    loss = weighted_loss(
        (logits,),
        batch["labels"],
        batch["loss_weights"],
        loss_divisors=batch["loss_divisors"],
        document_ids=batch.get("document_ids"),
        mean=mean,
    )
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss.item() == 0.0
    assert logits.grad is not None
    assert (logits.grad == 0).all()


# --- Trainer -------------------------------------------------------------------------------------


def make_trainer(
    folder: Path, strategy: Any, samples: Any = None, family: str = "bert", **options: Any
) -> Any:
    """A trainer whose first step does not move the model."""
    tokenizer, model = models.family(family)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    samples = samples or [{"input_ids": row} for row in models.rows(tokenizer, 4)]
    sizes = {"per_device_train_batch_size": 4, "per_device_eval_batch_size": 4}
    options = {"max_steps": 1, "learning_rate": 0.0, **sizes, **options}
    collate = DataCollatorForMasking(tokenizer, strategy)
    return runs.plain_trainer(folder, collate, samples, samples, learner=model.eval(), **options)


@pytest.mark.parametrize("family", ["bert", "llama"])
def test_trainer_evaluates_the_weighted_loss(family: str, tmp_path: Path) -> None:
    """The sum of w · CE over the labels, divided by the tokens of the attention mask."""
    trainer = make_trainer(tmp_path, strategies.weighted(), family=family)
    samples = [{**row, "sample_id": i} for i, row in enumerate(trainer.train_dataset)]
    batch = trainer.data_collator(samples)
    attach(trainer)
    with torch.no_grad():
        logits = trainer.model(batch["input_ids"], batch["attention_mask"]).logits
    total, shift = 0.0, int(family == "llama")
    for row, position in (batch["loss_weights"] > 0).nonzero().tolist():
        logs = torch.log_softmax(logits[row, position - shift], -1)
        label = batch["labels"][row, position]
        total -= batch["loss_weights"][row, position].item() * logs[label].item()
    expected = total / batch["attention_mask"].sum().item()
    assert trainer.evaluate()["eval_loss"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("mean", "accumulation"), [(None, 1), ("tokens", 1), ("samples", 1), ("samples", 4)]
)
def test_trainer_divides_by_the_tokens_that_can_be_masked(
    mean: Any, accumulation: int, tmp_path: Path
) -> None:
    """With one sample per batch, the mean over samples is the mean of accumulated batches."""
    samples = features(PROMPTS[:4], ANSWERS[:4])
    trainer = make_trainer(
        tmp_path,
        maskplug.strategy("llada", mask_special=True),
        samples,
        per_device_train_batch_size=4 // accumulation,
        gradient_accumulation_steps=accumulation,
    )
    if mean is not None:
        trainer.compute_loss = WeightedLoss(trainer, mean=mean)
    attach(trainer)
    batch = collated(samples, mask_special=True)
    with torch.no_grad():
        logits = trainer.model(batch["input_ids"], batch["attention_mask"]).logits
    expected = loss_of(batch, logits, mean=mean or "tokens")
    assert trainer.evaluate()["eval_loss"] == pytest.approx(expected, rel=1e-5)
    assert trainer.train().training_loss == pytest.approx(expected, rel=1e-5)


def test_other_batches_are_left_to_the_trainer(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path, "static")
    samples = list(trainer.eval_dataset)  # keyed by content
    losses = [trainer.evaluate(samples)["eval_loss"]]
    attach(trainer)
    attach(trainer)
    losses.append(trainer.evaluate(samples)["eval_loss"])
    assert losses[0] == losses[1]


@pytest.mark.parametrize("loss", runs.OTHER_LOSSES, ids=list)
def test_other_losses_of_trainer_are_refused_with_weights(
    loss: dict[str, Any], tmp_path: Path
) -> None:
    trainer = make_trainer(tmp_path, strategies.weighted(), **loss)
    attach(trainer)
    with pytest.raises(OptionError, match=f"trainer's {next(iter(loss))} ignores"):
        trainer.train()
    plain = make_trainer(tmp_path, "static", **loss)
    attach(plain)
    plain.train()


def test_a_model_that_takes_weights_gets_them_without_divisors(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path, "llada", features(PROMPTS))
    seen = []

    class TakesWeights(type(trainer.model)):  # type: ignore[misc]
        def forward(self, input_ids: Any = None, loss_weights: Any = None, **others: Any) -> Any:
            seen.append((loss_weights, "loss_divisors" in others))
            return super().forward(input_ids, **others)

    trainer.model.__class__ = TakesWeights
    attach(trainer)
    trainer.train()
    weights, divisors = seen[0]
    assert (weights > 0).any()
    assert not divisors
