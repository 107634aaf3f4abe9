"""Adaptive masks follow the losses of training steps two rounds later, also after a resume."""

from __future__ import annotations

import json
import shutil
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from fairseq.criterions.masked_lm import MaskedLmLoss

import maskplug
import maskplug_fairseq
from maskplug import Losses, OptionError
from maskplug.errors import SpecMismatchError
from maskplug.loss_tracking import LossTrackingConfig
from maskplug_fairseq import loss_tracking
from maskplug_fairseq.step_schedule import StepSchedule
from support import fairseq_runs
from support.fairseq_data import LENGTH, PAD, Corpus, Labelled, Text
from support.fairseq_runs import QUICK, Run

TASK = "maskplug_masked_lm"
ROWS = ("--tokens-per-sample", str(LENGTH), "--criterion", "masked_lm", "--lr", "0.05")
ROWS += ("--sample-break-mode", "eos", "--dropout", "0", "--attention-dropout", "0")
EVERY = 5
#: 41 rows in batches of 4: 11 steps per epoch, and two epochs.
STEPS = 22


def adaptive(workers: int = 0, buffer: int = 0, **options: Any) -> list[str]:
    options = {"rate": 0.3, "every": EVERY, "clock": "step", **options}
    loading = ["--num-workers", str(workers), "--data-buffer-size", str(buffer)]
    return ["--masking-plugin", "adaptive", "--masking-args", json.dumps(options), *loading]


def train(text: Text, folder: Path, *flags: str, **settings: Any) -> Run:
    return fairseq_runs.train(text, folder, *ROWS, *flags, task=TASK, **settings)


def inputs_and_targets(run: Run) -> list[tuple[Any, Any]]:
    return [
        (batch.sample["net_input"]["src_tokens"].tolist(), batch.sample["target"].tolist())
        for batch in run.batches
    ]


def losses_of(run: Run) -> Any:
    return run.task.loss_tracker.losses


def predicted(batches: Any) -> int:
    return sum(int((batch.sample["target"] != PAD).sum()) for batch in batches)


@pytest.fixture(scope="module")
def pretrained(text: Text, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two epochs with checkpoints in the middle of rounds."""
    saves = ("--save-interval-updates", "7", "--disable-validation")
    return train(text, tmp_path_factory.mktemp("adaptive"), *adaptive(), *saves)


def test_losses_of_every_step_are_recorded_and_followed(text: Text, pretrained: Run) -> None:
    strategy = maskplug.strategy("adaptive", rate=0.3, every=EVERY, clock="step")
    vocab = maskplug_fairseq.vocabulary(text.dictionary("<mask>"))
    losses = losses_of(pretrained)
    assert losses.round == (STEPS - 1) // EVERY
    counts = np.zeros(vocab.size, np.int64)
    for batch in pretrained.batches:
        np.add.at(counts, batch.sample["target"][batch.sample["target"] != PAD], 1)
    assert ((losses.scores >= 0) <= (counts > 0)).all()
    assert losses.sums[1].sum() == predicted(pretrained.batches[losses.round * EVERY :])
    tables = {step: losses.at(step) for step in (15, 20)}
    feedback = SimpleNamespace(at=tables.__getitem__)
    for step in (16, 20, 21):
        sample = pretrained.batches[step].sample
        inputs, target = sample["net_input"]["src_tokens"], sample["target"]
        rows = torch.where(target == PAD, inputs, target)
        rows = [[x for x in row.tolist() if x != PAD] for row in rows]
        tokens = maskplug.TokenBatch.from_lists(rows, sample["id"].numpy().astype(np.uint64))
        masked = strategy(tokens, vocab, seed=7, step=step, feedback=feedback)
        assert [[x for x in row.tolist() if x != PAD] for row in inputs] == masked.inputs.to_lists()
    assert not (tables[15] == 1.0).all()


def test_losses_equal_those_of_the_criterion(
    text: Text, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed: list[tuple[float, int]] = []
    forward = MaskedLmLoss.forward

    def recorded(self: Any, model: Any, sample: Any, reduce: bool = True) -> Any:
        loss, size, log = forward(self, model, sample, reduce)
        computed.append((loss.item(), int(size)))
        return loss, size, log

    monkeypatch.setattr(MaskedLmLoss, "forward", recorded)
    run = train(text, tmp_path, *adaptive(every=99), *QUICK, max_epoch=1)
    sums, counts = losses_of(run).sums
    assert counts.sum() == sum(size for _, size in computed)
    assert sums.sum() / 2**20 == pytest.approx(sum(loss for loss, _ in computed), rel=1e-4)


@pytest.mark.parametrize(
    ("workers", "name", "first"),
    [
        (1, "1_7", 7),
        (0, "2_14", 14),
        *(pytest.param(*case, marks=pytest.mark.slow) for case in [(0, "1_7", 7), (1, "2_14", 14)]),
    ],
)
def test_resume_in_the_middle_of_a_round(
    text: Text, pretrained: Run, tmp_path: Path, workers: int, name: str, first: int
) -> None:
    shutil.copy(pretrained.folder / f"checkpoint_{name}.pt", tmp_path / "checkpoint_last.pt")
    run = train(text, tmp_path, *adaptive(workers), *QUICK)
    assert inputs_and_targets(run) == inputs_and_targets(pretrained)[first:]
    resumed, whole = (losses_of(each).state_dict() for each in (run, pretrained))
    assert all(np.array_equal(resumed[key], whole[key]) for key in whole)


def test_workers_do_not_change_masks(text: Text, pretrained: Run, tmp_path: Path) -> None:
    run = train(text, tmp_path, *adaptive(1, 1), *QUICK)
    assert inputs_and_targets(run) == inputs_and_targets(pretrained)


def test_several_batches_per_step(text: Text, tmp_path: Path) -> None:
    run = train(text, tmp_path, *adaptive(0, 2, every=3), "--update-freq", "2", *QUICK)
    assert [batch.update for batch in run.batches][:4] == [0, 0, 1, 1]
    losses = losses_of(run)
    assert losses.round == 11 // 3  # 6 steps per epoch; the last one is step 11
    assert losses.sums[1].sum() == predicted(b for b in run.batches if b.update >= 9)


def test_checkpoints_have_plain_values_and_tensors(pretrained: Run) -> None:
    state = torch.load(pretrained.folder / "checkpoint_1_7.pt", weights_only=True)
    saved = state["extra_state"]["MaskplugMaskedLMTask"]["feedback"]
    assert {type(value) for value in saved.values()} == {int, float, str, torch.Tensor}
    assert saved["round"] == 1


def test_other_options_are_refused_or_start_with_uniform_masks(
    text: Text, pretrained: Run, tmp_path: Path, caplog: Any
) -> None:
    shutil.copy(pretrained.folder / "checkpoint_2_14.pt", tmp_path / "checkpoint_last.pt")
    other = (*adaptive(every=4), *QUICK)
    with pytest.raises(SpecMismatchError, match="every"):
        train(text, tmp_path, *other)
    run = train(text, tmp_path, *other, "--masking-allow-other-spec")
    assert "masks are uniform at first" in caplog.text
    assert len(run.batches) == STEPS - 14
    assert losses_of(run).round == (STEPS - 1) // 4


def test_resume_a_run_without_an_adaptive_strategy(text: Text, tmp_path: Path) -> None:
    train(text, tmp_path, "--disable-validation", max_epoch=1)
    losses = losses_of(train(text, tmp_path, *adaptive(), *QUICK, "--masking-allow-other-spec"))
    assert losses.round == 4
    assert (losses.at(19) == 1.0).all()  # round 3, the first one after the resume
    assert not (losses.at(20) == 1.0).all()


def test_rounds_must_be_longer_than_batches_are_loaded_ahead(text: Text) -> None:
    for workers, buffer, least in ((0, 0, 2), (1, 0, 4), (1, 10, 14)):
        loading = {"max_sentences": 4, "num_workers": workers, "data_buffer_size": buffer}
        for every in (least - 1, least):
            flags = adaptive(workers, buffer, every=every)
            task = fairseq_runs.task_of(text, *ROWS, *flags, task=TASK)
            task.load_dataset("train")
            load = partial(task.get_batch_iterator, task.dataset("train"), **loading)
            if every == least:
                load()
                continue
            with pytest.raises(OptionError, match=f"at least {least} steps, or lower these"):
                load()


# --- other tasks ---------------------------------------------------------------------------------


def test_decoder_inputs_follow_the_losses_of_targets(corpus: Corpus, tmp_path: Path) -> None:
    flags = ["--masking-side", "target", *adaptive(), *QUICK]
    losses = losses_of(fairseq_runs.train(corpus, tmp_path, *flags))
    assert losses.round == (2 * 16 - 1) // EVERY
    assert len(losses.hardest(5)) == 5


def test_tasks_without_losses_of_masked_tokens(
    corpus: Corpus, text: Text, labelled: Labelled
) -> None:
    for side in ("source", "both"):
        with pytest.raises(OptionError, match="use --masking-side target"):
            fairseq_runs.task_of(corpus, *adaptive(), "--masking-side", side)
    head = ("--criterion", "sentence_prediction", "--num-classes", "2")
    with pytest.raises(OptionError, match="a classifier predicts no tokens"):
        fairseq_runs.task_of(labelled, *head, *adaptive(), task="maskplug_classification")
    flags = adaptive(by="layer", classes=3)
    with pytest.raises(OptionError, match=r"reads the annotations 'classes'.*no annotations"):
        fairseq_runs.task_of(text, *ROWS, *flags, task=TASK)


# --- several ranks, in one process ---------------------------------------------------------------


class Model(torch.nn.Module):
    """Return the given logits."""

    def forward(self, logits: torch.Tensor, masked_tokens: Any = None) -> Any:
        return (logits if masked_tokens is None else logits[masked_tokens]), {}


class BatchIterator:
    """An iterator over 12 batches that has yielded ``n`` of them."""

    num_workers = buffer_size = 0
    epoch, n = 1, 0

    def __len__(self) -> int:
        return 12


@pytest.fixture
def tracker() -> Any:
    tracker = loss_tracking.LossTracker(LossTrackingConfig(every=2), 9, PAD)
    tracker.follow(BatchIterator(), StepSchedule())
    return tracker


def test_losses_of_all_ranks_are_summed(tracker: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    other_rank = torch.zeros(2, 9, dtype=torch.int64)
    other_rank[:, 5] = torch.tensor([3 * 2**20, 1])
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "all_reduce", lambda sums, group: sums.add_(other_rank))
    monkeypatch.setattr(loss_tracking, "get_data_parallel_group", lambda: None)
    logits, target = torch.zeros(1, 3, 9), torch.tensor([[5, 6, PAD]])
    for n in (1, 2, 3):
        tracker._iterator.n = n
        with tracker.record(model := Model(), {"target": target}):
            model(logits, masked_tokens=None)
    expected = Losses(tracker.losses.plan, 9)
    expected.add([5, 6, 5, 6, 5, 5], [*[np.log(9)] * 4, 3.0, 3.0])
    expected.advance_to(2)
    scores = [(c, pytest.approx(score, abs=1e-5)) for c, score in expected.hardest()]
    assert tracker.losses.hardest() == scores
    assert tracker.losses.sums[1].tolist() == [0, 0, 0, 0, 0, 2, 1, 0, 0]


def test_dummy_batches_are_not_recorded(tracker: Any) -> None:
    tracker._iterator.n = 1
    with tracker.record(model := Model(), None):
        model(torch.zeros(1, 1, 9))
    assert tracker.losses.sums.sum() == 0
    with pytest.raises(RuntimeError, match="out of memory"), tracker.record(model, {"target": 0}):
        raise RuntimeError("out of memory")
    assert not model._forward_hooks


def test_models_without_a_logit_per_symbol_are_refused(tracker: Any) -> None:
    tracker._iterator.n = 1
    model, target = Model(), torch.tensor([[5, 6]])
    for logits in (torch.zeros(1, 3, 9), torch.zeros(1, 2, 7)):
        with (
            pytest.raises(OptionError, match=r"with 9 logits for each target"),
            tracker.record(model, {"target": target}),
        ):
            model(logits)
