"""Adaptive masks in real training runs: hard words more often, and nothing left to luck."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

import maskplug
from maskplug import Losses, OptionError
from maskplug.errors import MaskplugWarning
from maskplug_hf import attach
from maskplug_hf.loss_tracking import LossTrackingCallback
from support import feedback_runs as toy
from support import hf_runs as runs
from support import hf_tokenizers as tokenizers
from support.feedback_runs import rows_of
from support.hf_reference import reference_masks


def test_hard_words_are_masked_at_least_twice_as_often(tmp_path: Path) -> None:
    options = {"optim": "adamw_torch", "learning_rate": 0.02, "num_train_epochs": 12}
    made = toy.trainer(tmp_path, every=20, learner=toy.model(32), **options)
    made.train()
    easy, hard = toy.masked(one for one in made.trained if one.step < 40)
    assert 0.85 < hard / easy < 1.18  # the rounds 0 and 1 are uniform
    later = [one for one in made.trained if one.step >= 120]
    easy, hard = toy.masked(later)
    assert hard >= 2 * easy > 0
    # The rate is met in every row: 5 of 20 tokens.
    assert {sum(label != -100 for label in one.row[1]) for one in made.trained} == {5}
    hardest = [c for c, _ in toy.feedback(made).losses.hardest(20)]
    assert set(hardest) <= set(toy.HARD)


def test_masks_are_those_of_the_core_with_the_published_tables(tmp_path: Path) -> None:
    made = toy.trainer(tmp_path, every=4, num_train_epochs=1)
    tables: dict[int, Any] = {}

    class Note(runs.TrainerCallback):
        def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            step = state.global_step
            tables[step // 4] = toy.feedback(made).tables.at(step)

    class Noted:
        def at(self, step: int) -> Any:
            return tables[step // 4]

    made.add_callback(Note())
    made.train()
    originals = dict(enumerate(toy.rows(64)))
    assert (tables[1] == 1.0).all()
    assert not (tables[2] == 1.0).all()
    for step in (3, 9, 15):
        strategy = made.data_collator.strategy
        masks = reference_masks(
            originals, made.data_collator.vocabulary, strategy, seed=7, step=step, feedback=Noted()
        )
        seen = [one for one in made.trained if one.step == step]
        assert len(seen) == 4
        assert {one.row for one in seen} <= set(masks.values())


def test_losses_are_those_that_training_computes(tmp_path: Path) -> None:
    made = toy.trainer(tmp_path, every=3, momentum=0.5, num_train_epochs=1, max_steps=6)
    calls, told = [], Losses(made.data_collator.strategy.feedback_plan, 120)
    outer = made.compute_loss

    def computing(model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        labels = inputs["labels"].clone()
        loss, output = outer(model, inputs, *args, **{**kwargs, "return_outputs": True})
        kept = labels != -100
        each = torch.nn.functional.cross_entropy(
            output.logits[kept].detach(), labels[kept], reduction="none"
        )
        assert each.mean().item() == pytest.approx(loss.item(), rel=1e-5)
        told.add(labels[kept], each)
        return loss

    made.compute_loss = computing
    made.model.bert.register_forward_hook(lambda *_: calls.append(1))
    made.train()
    assert len(calls) == 6  # no second forward
    told.advance_to(3)
    # The sums of both rounds at once make one mean; the callback took them apart.
    heard = toy.feedback(made).losses
    assert heard.round == 2
    assert np.isclose(heard.scores[heard.scores >= 0].mean(), 4.8, atol=0.5)


def test_masks_depend_on_losses_and_not_on_workers(tmp_path: Path) -> None:
    made = [toy.trainer(tmp_path, workers=workers) for workers in ("0", "2")]
    other = toy.trainer(tmp_path, learning_rate=0.0)
    for one in (*made, other):
        one.train()
    assert rows_of(made[0]) == rows_of(made[1])
    assert [row for step, row in rows_of(made[0]) if step < 12] == [
        row for step, row in rows_of(other) if step < 12
    ]
    assert rows_of(made[0], 12) != rows_of(other, 12)


def test_training_again_starts_without_losses(tmp_path: Path) -> None:
    made = toy.trainer(tmp_path, learning_rate=0.0)
    made.train()
    first = rows_of(made)
    made.seen.clear()
    made.train()
    assert rows_of(made) == first


def test_epochs_that_are_stopped_early(tmp_path: Path) -> None:
    class Stop(runs.TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            control.should_epoch_stop = state.global_step % 3 == 0

    made = toy.trainer(tmp_path, num_train_epochs=4, every=6, workers="2")
    made.add_callback(Stop())
    made.train()
    assert made.state.global_step == 12
    assert toy.feedback(made).losses.round == (3 * 16 + 3) // 6


def test_evaluation_masks_are_uniform_and_add_no_losses(tmp_path: Path) -> None:
    made = toy.trainer(tmp_path)
    made.args.eval_strategy, made.args.eval_steps = "steps", 8
    made.eval_dataset = {"train": made.train_dataset.dataset.select(range(16))}
    attach(made)
    made.train()
    made.evaluate()
    seen = [one for one in made.seen if not one.training]
    assert len(seen) == 5 * 16
    assert len({one.row for one in seen}) == 16
    uniform = maskplug.strategy("adaptive", rate=0.25)
    masks = reference_masks(
        dict(enumerate(toy.rows(64)[:16])), made.data_collator.vocabulary, uniform, seed=7
    )
    assert {one.row for one in seen} == set(masks.values())
    twin = toy.trainer(tmp_path)
    twin.train()
    assert rows_of(made) == rows_of(twin)


# --- classes of a layer --------------------------------------------------------------------------


@pytest.mark.parametrize("workers", ["0", "2"])
def test_classes_come_with_the_samples(tmp_path: Path, workers: str) -> None:
    given = {"by": "layer", "classes": 2, "every": 8, "workers": workers, "num_train_epochs": 4}
    given |= {"optim": "adamw_torch", "learning_rate": 0.02, "learner": toy.model(32)}
    made = toy.trainer(tmp_path, data={"classes": toy.classes(64)}, **given)
    made.train()
    (hardest, much), (easiest, little) = toy.feedback(made).losses.hardest()
    assert (hardest, easiest) == (1, 0)
    assert much > 1.5 * little
    easy, hard = toy.masked(one for one in made.trained if one.step >= 48)
    assert hard > 1.2 * easy
    made.eval_dataset = made.train_dataset
    made.evaluate()  # and the model is not given what it does not take


class Classifier(torch.nn.Module):
    """One label for a whole row."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, input_ids: Any, attention_mask: Any, labels: Any) -> Any:
        logits = self.weight * torch.zeros(len(input_ids), 3)
        return {"loss": logits.sum(), "logits": logits}


# --- what attach refuses -------------------------------------------------------------------------


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
    made = toy.trainer(tmp_path, every=least, num_train_epochs=1, **options)
    made.train()  # and a worker finds every table


# --- attaching -----------------------------------------------------------------------------------


def test_attaching_twice_has_no_effect(tmp_path: Path) -> None:
    made = toy.trainer(tmp_path, max_steps=2)
    attach(made)
    callbacks = made.callback_handler.callbacks
    assert sum(isinstance(c, LossTrackingCallback) for c in callbacks) == 1
    made.train()
    assert toy.feedback(made)._sums[1].sum() == 2 * 4 * 5  # each loss once


def test_attaching_again_uses_the_new_config(tmp_path: Path) -> None:
    made = toy.trainer(tmp_path, max_steps=4)
    made.data_collator = runs.DataCollatorForMasking(tokenizers.bert(), "adaptive", every=2)
    attach(made)
    assert toy.feedback(made).losses.plan.every == 2
    assert sum(isinstance(c, LossTrackingCallback) for c in made.callback_handler.callbacks) == 1
    made.train()
    assert toy.feedback(made).losses.round == 2
    assert made.data_collator.feedback is toy.feedback(made).tables


def test_other_strategies_are_not_tracked(tmp_path: Path) -> None:
    made = runs.trainer(tmp_path)
    attach(made)
    assert made.data_collator.feedback is None
    assert not any(isinstance(c, LossTrackingCallback) for c in made.callback_handler.callbacks)


def test_losses_are_tracked_with_model_init(tmp_path: Path) -> None:
    made = toy.trainer(tmp_path, max_steps=7)
    made.model_init = lambda _: toy.model()
    made.train()
    assert toy.feedback(made).losses.hardest(1)


def test_unattached_adaptive_masks_are_uniform_with_a_warning(tmp_path: Path) -> None:
    collate = runs.DataCollatorForMasking(tokenizers.bert(), "adaptive", rate=0.5)
    with pytest.warns(MaskplugWarning, match=r"follows the losses of the model; .*were equal"):
        batch = collate([{"input_ids": row} for row in toy.rows(50)])
    assert ((batch["labels"] != -100).sum(dim=1) == 10).all()


# --- models --------------------------------------------------------------------------------------


def test_models_that_predict_the_next_token(tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = GPT2Config(vocab_size=120, n_embd=8, n_layer=1, n_head=1, n_positions=32)
    made = toy.trainer(tmp_path, learner=GPT2LMHeadModel(config), max_steps=1, every=9)
    wanted: list[float] = []
    outer = made.compute_loss

    def computing(model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        loss = outer(model, inputs, *args, **kwargs)
        wanted.append(loss.item())
        return loss

    made.compute_loss = computing
    made.train()
    sums, counts = toy.feedback(made)._sums
    assert sums.sum() / counts.sum() / 2**20 == pytest.approx(wanted[0], rel=1e-4)


def test_nan_losses_are_ignored(tmp_path: Path) -> None:
    made = toy.trainer(tmp_path, max_steps=1, every=9)
    hear = toy.feedback(made)
    logits = torch.zeros(1, 3, 120)
    logits[0, 1] = float("nan")
    labels = torch.tensor([[7, 8, -100]])
    hear.add_batch(logits, labels, None, shifts=False)
    assert np.flatnonzero(hear._sums[1]).tolist() == [7]
    assert hear._sums[0, 7] == round(np.log(120) * 2**20)
