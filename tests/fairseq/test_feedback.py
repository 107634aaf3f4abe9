"""Adaptive masks in fairseq: heard in the training step, followed two rounds later, resumed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fairseq.criterions.masked_lm import MaskedLmLoss

import maskplug
import maskplug_fairseq
from maskplug import Losses, OptionError
from maskplug.errors import SpecMismatchError
from support.fairseq_runs import QUICK, Corpus, Run
from support.fairseq_runs import task_of as translation_of
from support.fairseq_runs import train as train_pairs
from support.texts import LENGTH, PAD, Text, make_labelled, task_of, train

TASK = "maskplug_masked_lm"
CUT = ("--tokens-per-sample", str(LENGTH), "--criterion", "masked_lm", "--lr", "0.05")
CUT += ("--sample-break-mode", "eos", "--dropout", "0", "--attention-dropout", "0")
EVERY = 5
#: 41 rows in batches of 4: 11 steps an epoch, and two epochs; no validation is needed.
STEPS = 22


def flags(**options: Any) -> list[str]:
    given = {"rate": 0.3, "every": EVERY, "clock": "step", **options}
    return ["--masking-plugin", "adaptive", "--masking-args", json.dumps(given)]


def ahead(workers: int = 0, buffer: int = 0) -> list[str]:
    return ["--num-workers", str(workers), "--data-buffer-size", str(buffer)]


def fed(run: Run) -> list[tuple[Any, Any]]:
    """Inputs and targets of every step."""
    return [
        (batch.sample["net_input"]["src_tokens"].tolist(), batch.sample["target"].tolist())
        for batch in run.fed
    ]


@pytest.fixture(scope="module")
def pretrained(text: Text, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two epochs, and checkpoints in mid-round."""
    folder = tmp_path_factory.mktemp("adaptive")
    saves = ("--save-interval-updates", "7", "--disable-validation")
    return train(text, TASK, folder, *CUT, *flags(), *ahead(), *saves)


def heard_by(run: Run) -> Any:
    return run.task.heard


def test_losses_of_every_step_are_heard_and_followed(text: Text, pretrained: Run) -> None:
    made = maskplug.strategy("adaptive", rate=0.3, every=EVERY, clock="step")
    vocab = maskplug_fairseq.vocabulary(text.dictionary("<mask>"))
    scores = heard_by(pretrained).losses
    assert scores.round == (STEPS - 1) // EVERY
    counted = np.zeros(vocab.size, np.int64)
    for batch in pretrained.fed:
        for target in batch.sample["target"]:
            np.add.at(counted, target[target != PAD], 1)
    assert ((scores.scores >= 0) <= (counted > 0)).all()
    open_round = [b.sample["target"] for b in pretrained.fed[scores.round * EVERY :]]
    assert scores.sums[1].sum() == sum(int((target != PAD).sum()) for target in open_round)
    tables = {step: scores.at(step) for step in (15, 20)}
    for step in (16, 20, 21):
        sample = pretrained.fed[step].sample
        inputs, target = sample["net_input"]["src_tokens"], sample["target"]
        rows = torch.where(target == PAD, inputs, target)
        rows = [[x for x in row.tolist() if x != PAD] for row in rows]
        tokens = maskplug.TokenBatch.from_lists(rows, sample["id"].numpy().astype(np.uint64))

        class Given:
            def at(self, step: int) -> Any:
                return tables[step]

        masked = made(tokens, vocab, seed=7, step=step, feedback=Given())
        wanted = masked.inputs.to_lists()
        assert [[x for x in row.tolist() if x != PAD] for row in inputs] == wanted
    assert not (tables[15] == 1.0).all()


def test_the_loss_is_the_criterion_s(text: Text, tmp_path: Path, monkeypatch: Any) -> None:
    computed: list[tuple[float, int]] = []
    forward = MaskedLmLoss.forward

    def noted(self: Any, model: Any, sample: Any, reduce: bool = True) -> Any:
        loss, size, log = forward(self, model, sample, reduce)
        computed.append((loss.item(), int(size)))
        return loss, size, log

    monkeypatch.setattr(MaskedLmLoss, "forward", noted)
    run = train(text, TASK, tmp_path, *CUT, *flags(every=99), *ahead(), *QUICK, max_epoch=1)
    sums, counts = heard_by(run).losses.sums
    assert counts.sum() == sum(size for _, size in computed)
    assert sums.sum() / 2**20 == pytest.approx(sum(loss for loss, _ in computed), rel=1e-4)


@pytest.mark.parametrize("cut", [("1_7", 7), ("2_14", 14)])
@pytest.mark.parametrize("workers", [0, 1])
def test_resume_in_mid_round_is_as_no_interruption(
    text: Text, pretrained: Run, tmp_path: Path, workers: int, cut: tuple[str, int]
) -> None:
    name, first = cut
    shutil.copy(pretrained.folder / f"checkpoint_{name}.pt", tmp_path / "checkpoint_last.pt")
    run = train(text, TASK, tmp_path, *CUT, *flags(), *ahead(workers), *QUICK)
    assert fed(run) == fed(pretrained)[first:]
    own, whole = (heard_by(one).losses.state_dict() for one in (run, pretrained))
    assert all(np.array_equal(own[key], whole[key]) for key in whole)


def test_workers_change_nothing(text: Text, pretrained: Run, tmp_path: Path) -> None:
    run = train(text, TASK, tmp_path, *CUT, *flags(), *ahead(1, 1), *QUICK)
    assert fed(run) == fed(pretrained)


def test_several_batches_a_step(text: Text, tmp_path: Path) -> None:
    more = ("--update-freq", "2", "--num-workers", "0", "--data-buffer-size", "2", *QUICK)
    run = train(text, TASK, tmp_path, *CUT, *flags(every=3), *more)
    assert [batch.update for batch in run.fed][:4] == [0, 0, 1, 1]
    heard = heard_by(run).losses
    assert heard.round == 11 // 3  # 6 steps an epoch; the last one is step 11
    last = [b.sample["target"] for b in run.fed if b.update >= 9]
    assert heard.sums[1].sum() == sum(int((target != PAD).sum()) for target in last)


def test_the_checkpoint_holds_plain_values_and_tensors(pretrained: Run) -> None:
    state = torch.load(pretrained.folder / "checkpoint_1_7.pt", weights_only=True)
    saved = state["extra_state"]["MaskplugMaskedLMTask"]["feedback"]
    assert {type(value) for value in saved.values()} == {int, float, str, torch.Tensor}
    assert saved["round"] == 1


def test_other_options_are_refused_or_start_anew(
    text: Text, pretrained: Run, tmp_path: Path, caplog: Any
) -> None:
    shutil.copy(pretrained.folder / "checkpoint_2_14.pt", tmp_path / "checkpoint_last.pt")
    other = (*CUT, *flags(every=4), *ahead(), *QUICK)
    with pytest.raises(SpecMismatchError, match="every"):
        train(text, TASK, tmp_path, *other)
    run = train(text, TASK, tmp_path, *other, "--masking-allow-other-spec")
    assert "masks are uniform at first" in caplog.text
    assert len(run.fed) == STEPS - 14
    assert heard_by(run).losses.round == (STEPS - 1) // 4


def test_a_run_that_followed_nothing_is_gone_on_with(text: Text, tmp_path: Path) -> None:
    train(text, TASK, tmp_path, *CUT, *ahead(), "--disable-validation", max_epoch=1)
    more = (*CUT, *flags(), *ahead(), *QUICK, "--masking-allow-other-spec")
    run = train(text, TASK, tmp_path, *more)
    heard = heard_by(run).losses
    assert heard.round == 4
    assert (heard.at(19) == 1.0).all()  # of round 3, the next after the resume
    assert not (heard.at(20) == 1.0).all()


def test_rounds_are_longer_than_batches_are_made_ahead(text: Text) -> None:
    for workers, buffer, least in ((0, 0, 2), (1, 0, 4), (1, 10, 14)):
        for every in (least - 1, least):
            task = task_of(text, TASK, *CUT, *flags(every=every), *ahead(workers, buffer))
            task.load_dataset("train")
            make = task.get_batch_iterator
            given = {"max_sentences": 4, "num_workers": workers, "data_buffer_size": buffer}
            if every == least:
                make(task.dataset("train"), **given)
                continue
            with pytest.raises(OptionError, match=f"at least {least} steps, or lower these"):
                make(task.dataset("train"), **given)


# --- the other tasks -----------------------------------------------------------------------------


def test_a_decoder_s_input_follows_the_losses_of_its_targets(
    corpus: Corpus, tmp_path: Path
) -> None:
    given = ["--masking-side", "target", *flags(), *ahead(), *QUICK]
    run = train_pairs(corpus, tmp_path, *given)
    heard = heard_by(run).losses
    assert heard.round == (2 * 16 - 1) // EVERY
    assert len(heard.hardest(5)) == 5


def test_losses_that_tell_nothing(corpus: Corpus, text: Text, tmp_path: Path) -> None:
    for side in ("source", "both"):
        with pytest.raises(OptionError, match="use --masking-side target"):
            translation_of(corpus, *flags(), "--masking-side", side)
    labelled = make_labelled(tmp_path, text)
    head = ("--criterion", "sentence_prediction", "--num-classes", "2")
    with pytest.raises(OptionError, match="a classifier predicts no tokens"):
        task_of(labelled, "maskplug_classification", *head, *flags())
    with pytest.raises(OptionError, match=r"reads the layers 'classes'.*no layers"):
        task_of(text, TASK, *CUT, *flags(by="layer", classes=3))


# --- several ranks, without their processes ------------------------------------------------------


class Model(torch.nn.Module):
    """Logits for 9 symbols, whatever it is asked."""

    def forward(self, logits: torch.Tensor, masked_tokens: Any = None) -> Any:
        return (logits if masked_tokens is None else logits[masked_tokens]), {}


class Clock:
    """An iterator of 12 batches that has given ``n`` of them."""

    num_workers = buffer_size = 0
    epoch, n = 1, 0

    def __len__(self) -> int:
        return 12


@pytest.fixture
def one() -> tuple[Any, Any]:
    heard = maskplug_fairseq.feedback.Heard(maskplug.loss_tracking.Plan(every=2), 9, PAD)
    clock = Clock()
    heard.follow(clock, maskplug_fairseq.epoch.Calendar())
    return heard, clock


def test_sums_of_all_ranks_are_added(one: Any, monkeypatch: Any) -> None:
    heard, clock = one
    there = torch.zeros(2, 9, dtype=torch.int64)
    there[:, 5] = torch.tensor([3 * 2**20, 1])
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "all_reduce", lambda sums, group: sums.add_(there))
    monkeypatch.setattr(maskplug_fairseq.feedback, "get_data_parallel_group", lambda: None)
    logits, target = torch.zeros(1, 3, 9), torch.tensor([[5, 6, PAD]])
    for clock.n in (1, 2, 3):
        with heard.step(model := Model(), {"target": target}):
            model(logits, masked_tokens=None)
    told = Losses(heard.losses.plan, 9)
    told.add([5, 6, 5, 6, 5, 5], [*[np.log(9)] * 4, 3.0, 3.0])
    told.advance_to(2)
    assert heard.losses.hardest() == [(c, pytest.approx(s, abs=1e-5)) for c, s in told.hardest()]
    assert heard.losses.sums[1].tolist() == [0, 0, 0, 0, 0, 2, 1, 0, 0]


def test_batches_that_stand_in_are_not_heard(one: Any) -> None:
    heard, clock = one
    clock.n = 1
    with heard.step(model := Model(), None):
        model(torch.zeros(1, 1, 9))
    assert heard.losses.sums.sum() == 0
    with pytest.raises(RuntimeError, match="out of memory"), heard.step(model, {"target": 0}):
        raise RuntimeError("out of memory")
    assert not model._forward_hooks


def test_a_model_of_another_kind_is_refused(one: Any) -> None:
    heard, clock = one
    clock.n = 1
    model, target = Model(), torch.tensor([[5, 6]])
    for logits in (torch.zeros(1, 3, 9), torch.zeros(1, 2, 7)):
        with (
            pytest.raises(OptionError, match=r"with 9 logits for each target"),
            heard.step(model, {"target": target}),
        ):
            model(logits)
