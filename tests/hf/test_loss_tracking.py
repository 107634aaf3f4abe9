"""Adaptive masks in real training runs: hard words more often, and reproducible."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

import maskplug
from maskplug import Losses, OptionError
from maskplug_hf import attach
from maskplug_hf.loss_tracking import LossTrackingCallback
from support import feedback_runs as toy
from support import hf_runs as runs
from support import hf_tokenizers as tokenizers
from support.feedback_runs import rows_of
from support.hf_reference import reference_masks

LEARNING = {"optim": "adamw_torch", "learning_rate": 0.02, "model": partial(toy.model, 32)}


def test_hard_words_are_masked_at_least_twice_as_often(tmp_path: Path) -> None:
    trainer = toy.trainer(tmp_path, every=20, num_train_epochs=12, **LEARNING)
    trainer.train()
    easy, hard = toy.masked(one for one in trainer.trained if one.step < 40)
    assert 0.85 < hard / easy < 1.18  # the rounds 0 and 1 are uniform
    easy, hard = toy.masked(one for one in trainer.trained if one.step >= 120)
    assert hard >= 2 * easy > 0
    # The rate is met in every row: 5 of 20 tokens.
    assert {sum(label != -100 for label in one.row[1]) for one in trainer.trained} == {5}
    hardest = [c for c, _ in toy.tracking(trainer).losses.hardest(20)]
    assert set(hardest) <= set(toy.HARD)


def test_classes_come_with_the_samples(tmp_path: Path) -> None:
    options = {"by": "layer", "classes": 2, "every": 8, "workers": "2", "num_train_epochs": 4}
    data = {"classes": toy.classes(64)}
    trainer = toy.trainer(tmp_path, data=data, **options, **LEARNING)
    trainer.train()
    (hardest, high), (easiest, low) = toy.tracking(trainer).losses.hardest()
    assert (hardest, easiest) == (1, 0)
    assert high > 1.5 * low
    easy, hard = toy.masked(one for one in trainer.trained if one.step >= 48)
    assert hard > 1.2 * easy
    trainer.eval_dataset = trainer.train_dataset
    trainer.evaluate()  # the model does not get the column


def test_masks_are_those_of_the_core_with_the_published_tables(tmp_path: Path) -> None:
    trainer = toy.trainer(tmp_path, every=4, num_train_epochs=1)
    tables: dict[int, Any] = {}

    class CopyTables(runs.TrainerCallback):
        def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            step = state.global_step
            tables[step // 4] = toy.tracking(trainer).tables.at(step)

    class Copied:
        def at(self, step: int) -> Any:
            return tables[step // 4]

    trainer.add_callback(CopyTables())
    trainer.train()
    originals = dict(enumerate(toy.rows(64)))
    assert (tables[1] == 1.0).all()
    assert not (tables[2] == 1.0).all()
    collate = trainer.data_collator
    for step in (3, 9, 15):
        time = {"step": step, "feedback": Copied()}
        masks = reference_masks(originals, collate.vocabulary, collate.strategy, seed=7, **time)
        seen = [one for one in trainer.trained if one.step == step]
        assert len(seen) == 4
        assert {one.row for one in seen} <= set(masks.values())


@pytest.mark.parametrize("causal", [False, True])
def test_losses_are_those_that_training_computes(tmp_path: Path, causal: bool) -> None:
    config = GPT2Config(vocab_size=120, n_embd=8, n_layer=1, n_head=1, n_positions=32)
    options = {"model": lambda: GPT2LMHeadModel(config)} if causal else {}
    trainer = toy.trainer(tmp_path, every=3, momentum=0.5, max_steps=6, **options)
    expected = Losses(trainer.data_collator.strategy.feedback_plan, 120)
    forwards: list[int] = []
    compute_loss = trainer.compute_loss

    def computing(model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        labels = inputs["labels"][:, int(causal) :]
        loss, output = compute_loss(model, inputs, *args, **{**kwargs, "return_outputs": True})
        logits = output.logits[:, :-1] if causal else output.logits
        kept = labels != -100
        losses = torch.nn.functional.cross_entropy(
            logits[kept].detach(), labels[kept], reduction="none"
        )
        assert losses.mean().item() == pytest.approx(loss.item(), rel=1e-5)
        expected.add(labels[kept], losses)
        expected.advance_to(trainer.state.global_step + 1)
        return loss

    trainer.compute_loss = computing
    trainer.model.base_model.register_forward_hook(lambda *_: forwards.append(1))
    trainer.train()
    assert len(forwards) == 6  # no second forward
    losses = toy.tracking(trainer).losses
    assert losses.round == 2
    assert np.allclose(losses.scores, expected.scores)


def test_models_without_a_prediction_per_input_are_refused(tmp_path: Path) -> None:
    tracking = toy.tracking(toy.trainer(tmp_path))
    labels = torch.tensor([[7, 8, -100]])
    for logits in (None, torch.zeros(1, 120)):
        with pytest.raises(OptionError, match="predicts a label for each input"):
            tracking.add_batch(logits, labels, None, shifts=False)


def test_masks_depend_on_losses_and_not_on_workers(tmp_path: Path) -> None:
    trainers = [toy.trainer(tmp_path, workers=workers) for workers in ("0", "2")]
    other = toy.trainer(tmp_path, learning_rate=0.0)
    for trainer in (*trainers, other):
        trainer.train()
    rows = rows_of(trainers[0])
    assert rows == rows_of(trainers[1])
    assert [row for row in rows if row[0] < 12] == [row for row in rows_of(other) if row[0] < 12]
    assert rows_of(trainers[0], 12) != rows_of(other, 12)
    other.seen.clear()
    other.train()  # training again starts without losses
    assert [row for row in rows if row[0] < 12] == [row for row in rows_of(other) if row[0] < 12]


def test_epochs_that_are_stopped_early(tmp_path: Path) -> None:
    class Stop(runs.TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            control.should_epoch_stop = state.global_step % 3 == 0

    trainer = toy.trainer(tmp_path, num_train_epochs=4, every=6, workers="2")
    trainer.add_callback(Stop())
    trainer.train()
    assert trainer.state.global_step == 12
    assert toy.tracking(trainer).losses.round == (3 * 16 + 3) // 6


def test_evaluation_masks_are_uniform_and_add_no_losses(tmp_path: Path) -> None:
    trainer = toy.trainer(tmp_path)
    trainer.args.eval_strategy, trainer.args.eval_steps = "steps", 8
    trainer.eval_dataset = {"train": trainer.train_dataset.dataset.select(range(16))}
    attach(trainer)
    trainer.train()
    trainer.evaluate()
    seen = [one for one in trainer.seen if not one.training]
    assert len(seen) == 5 * 16
    assert len({one.row for one in seen}) == 16
    uniform = maskplug.strategy("adaptive", rate=0.25)
    masks = reference_masks(
        dict(enumerate(toy.rows(64)[:16])), trainer.data_collator.vocabulary, uniform, seed=7
    )
    assert {one.row for one in seen} == set(masks.values())
    twin = toy.trainer(tmp_path)
    twin.train()
    assert rows_of(trainer) == rows_of(twin)


@pytest.mark.parametrize(
    ("options", "least"),
    [
        ({"workers": "2"}, 5),
        ({"workers": "2", "dataloader_prefetch_factor": 4}, 9),
        ({"workers": "2", "gradient_accumulation_steps": 4}, 2),
        ({"workers": "2", "gradient_accumulation_steps": 8}, 1),
        ({"workers": "0"}, 1),
    ],
)
def test_rounds_shorter_than_prefetching_are_refused(
    tmp_path: Path, options: Any, least: int
) -> None:
    if least > 1:
        with pytest.raises(OptionError, match=rf"'every' is {least - 1}.*at least {least} steps"):
            toy.trainer(tmp_path, every=least - 1, **options)
    trainer = toy.trainer(tmp_path, every=least, num_train_epochs=1, **options)
    trainer.train()  # a worker finds every table


# --- attach --------------------------------------------------------------------------------------


def callbacks(trainer: Any) -> int:
    all_callbacks = trainer.callback_handler.callbacks
    return sum(isinstance(one, LossTrackingCallback) for one in all_callbacks)


def test_attaching_twice_has_no_effect(tmp_path: Path) -> None:
    trainer = toy.trainer(tmp_path, max_steps=2)
    attach(trainer)
    assert callbacks(trainer) == 1
    trainer.train()
    assert toy.tracking(trainer)._sums[1].sum() == 2 * 4 * 5  # each loss once


def test_attaching_again_uses_the_new_config(tmp_path: Path) -> None:
    trainer = toy.trainer(tmp_path, max_steps=4)
    trainer.data_collator = runs.DataCollatorForMasking(tokenizers.bert(), "adaptive", every=2)
    attach(trainer)
    tracking = toy.tracking(trainer)
    assert tracking.losses.plan.every == 2
    assert callbacks(trainer) == 1
    trainer.train()
    assert tracking.losses.round == 2
    assert trainer.data_collator.feedback is tracking.tables


def test_other_strategies_are_not_tracked(tmp_path: Path) -> None:
    trainer = runs.trainer(tmp_path)
    attach(trainer)
    assert trainer.data_collator.feedback is None
    assert callbacks(trainer) == 0


def test_losses_are_tracked_with_model_init(tmp_path: Path) -> None:
    trainer = toy.trainer(tmp_path, max_steps=7)
    trainer.model_init = lambda _: toy.model()
    trainer.train()
    assert toy.tracking(trainer).losses.hardest(1)
