"""Resumed runs continue with the same masks; other masks and damaged records are refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given

from maskplug.errors import MaskplugError, SpecMismatchError
from maskplug.loss_tracking import LossTrackingConfig
from maskplug_fairseq.loss_tracking import LossTracker
from support.fairseq_data import Corpus, Text
from support.fairseq_runs import NO_MASKS, QUICK, Run, task_of, train
from support.rubbish import FOREIGN, JSON, tampered

ALLOW = "--masking-allow-other-spec"


def copied(trained: Run, name: str, folder: Path) -> Path:
    """Return a folder whose last checkpoint is a checkpoint of a run."""
    shutil.copy(trained.folder / name, folder / "checkpoint_last.pt")
    return folder


def saved_record(folder: Path) -> dict[str, Any]:
    state = torch.load(folder / "checkpoint_last.pt", weights_only=True)
    return state["extra_state"]["MaskplugTranslationTask"]  # type: ignore[no-any-return]


def assert_masks_continue(corpus: Corpus, run: Run, trained: Run, first: int) -> None:
    assert [batch.update for batch in run.batches] == list(range(first, 32))
    for batch in run.batches:
        assert batch.rows().items() <= corpus.expected("source", batch.epoch - 1).items()
    for batch, earlier in zip(run.batches, trained.batches[first:16], strict=False):
        assert batch.rows() == earlier.rows()  # the rest of epoch 1


@pytest.mark.parametrize("workers", ["0", "2"])
def test_resume_in_the_middle_of_an_epoch(
    corpus: Corpus, trained: Run, tmp_path: Path, workers: str
) -> None:
    folder = copied(trained, "checkpoint_1_8.pt", tmp_path)
    run = train(corpus, folder, "--num-workers", workers, *QUICK)
    assert_masks_continue(corpus, run, trained, 8)


def test_resume_twice_in_one_epoch(corpus: Corpus, trained: Run, tmp_path: Path) -> None:
    folder = copied(trained, "checkpoint_1_4.pt", tmp_path)
    flags = ("--save-interval-updates", "3", "--num-workers", "1")
    first = train(corpus, folder, *flags, "--max-update", "9", max_epoch=0)
    second = train(corpus, folder, *flags, max_epoch=2)
    assert [batch.update for batch in first.batches] == list(range(4, 9))
    whole = Run(folder, [*first.batches, *second.batches])
    assert_masks_continue(corpus, whole, trained, 4)


def test_resume_at_the_end_of_an_epoch(corpus: Corpus, trained: Run, tmp_path: Path) -> None:
    folder = copied(trained, "checkpoint1.pt", tmp_path)
    # The same masks with options in another form.
    masking = ("--masking-plugin", "dynamic@1", "--masking-args", '{"mask": 0.8, "rate": 0.3}')
    run = train(corpus, folder, *masking, *QUICK)
    assert {batch.epoch for batch in run.batches} == {2}
    assert run.rows(2) == trained.rows(2)


def test_resume_with_a_step_clock(corpus: Corpus, tmp_path: Path) -> None:
    flags = ["--masking-args", '{"rate": 0.3, "clock": "step"}', "--update-freq", "2"]
    train(corpus, tmp_path, *flags, "--max-update", "11", max_epoch=0)
    run = train(corpus, tmp_path, *flags, max_epoch=2)
    assert (run.batches[0].update, run.batches[-1].update) == (11, 15)
    for batch in run.batches:
        options = {"clock": "step"}
        expected = corpus.expected("source", 0, options=options, step=batch.update)
        assert batch.rows().items() <= expected.items()


def test_the_record_has_plain_values(trained: Run) -> None:
    record = saved_record(trained.folder)
    assert record["strategy"] == "dynamic@1"
    assert record["options"].startswith('{"clock":{"name":"epoch@1"}')
    assert (record["seed"], record["side"], record["symbols"]) == (7, "source", "madeupword0000")
    assert {type(value) for value in record.values()} == {str, int}


@pytest.mark.parametrize(
    ("flags", "names"),
    [
        (("--masking-plugin", "span"), ("dynamic@1", "span@1")),
        (("--masking-args", '{"rate": 0.2}'), ('"rate":0.3', '"rate":0.2')),
        (("--masking-seed", "8"), ("--masking-seed 7", "--masking-seed 8")),
        (("--masking-side", "both"), ("--masking-side source", "--masking-side both")),
        (("--masking-symbol", "<unk>"), ("madeupword0000", "<unk>")),
        (NO_MASKS, ("dynamic@1", "none@1")),
    ],
)
def test_other_masks_are_refused(
    corpus: Corpus, trained: Run, flags: tuple[str, ...], names: tuple[str, str]
) -> None:
    task = task_of(corpus, *flags)
    with pytest.raises(SpecMismatchError, match=ALLOW) as error:
        task.set_checkpoint_dict(saved_record(trained.folder))
    assert all(name in str(error.value) for name in names)


def test_other_masks_need_an_option(corpus: Corpus, trained: Run, tmp_path: Path) -> None:
    folder = copied(trained, "checkpoint1.pt", tmp_path)
    saved = (folder / "checkpoint_last.pt").read_bytes()
    with pytest.raises(SpecMismatchError, match=ALLOW):
        train(corpus, folder, "--masking-plugin", "span")
    assert (folder / "checkpoint_last.pt").read_bytes() == saved
    run = train(corpus, folder, "--masking-plugin", "span", ALLOW)
    assert run.rows(2) == corpus.expected("source", 1, "span")
    assert saved_record(folder)["strategy"] == "span@1"


def replace_record(trained: Run, name: str, folder: Path, record: Any) -> None:
    """Copy a checkpoint with another record, or none."""
    state = torch.load(trained.folder / name, weights_only=True)
    del state["extra_state"]["MaskplugTranslationTask"]
    if record is not None:
        state["extra_state"]["MaskplugTranslationTask"] = record
    torch.save(state, folder / "checkpoint_last.pt")


@pytest.mark.parametrize(
    ("name", "record"),
    [("checkpoint_1_8.pt", None), ("checkpoint1.pt", None), ("checkpoint1.pt", 0)],
)
def test_a_missing_record_stops_a_run(
    corpus: Corpus, trained: Run, tmp_path: Path, name: str, record: Any, caplog: Any
) -> None:
    replace_record(trained, name, tmp_path, record)
    with pytest.raises(SpecMismatchError, match=rf"holds no masking spec.*{ALLOW}"):
        train(corpus, tmp_path, *QUICK)
    run = train(corpus, tmp_path, *QUICK, ALLOW)
    assert len(run.batches) == (24 if "_8" in name else 16)
    assert "holds no masking spec" in caplog.text
    assert "continuing with the new ones" in caplog.text


@pytest.mark.parametrize("record", [7, pytest.param("dynamic@1", marks=pytest.mark.slow)], ids=str)
def test_a_foreign_record_stops_a_run(
    corpus: Corpus, trained: Run, tmp_path: Path, record: Any
) -> None:
    replace_record(trained, "checkpoint1.pt", tmp_path, record)
    with pytest.raises(MaskplugError, match="holds a damaged masking spec"):
        train(corpus, tmp_path, *QUICK)


def test_a_run_with_resets_is_not_compared(corpus: Corpus, trained: Run, tmp_path: Path) -> None:
    replace_record(trained, "checkpoint1.pt", tmp_path, None)
    resets = ("--reset-dataloader", "--reset-optimizer", "--reset-lr-scheduler", "--reset-meters")
    assert len(train(corpus, tmp_path, *QUICK, *resets, max_epoch=1).batches) == 16


# --- records, without training -------------------------------------------------------------------


@pytest.fixture(scope="module")
def task(corpus: Corpus) -> Any:
    return task_of(corpus)


@pytest.fixture(scope="module")
def adaptive(text: Text) -> Any:
    """A task with an adaptive strategy and a position in its data."""
    options = json.dumps({"rate": 0.3, "every": 4})
    flags = ("--masking-plugin", "adaptive", "--masking-args", options, "--num-workers", "0")
    task = task_of(text, *flags, "--sample-break-mode", "eos", task="maskplug_masked_lm")
    task.load_dataset("train")
    task.get_batch_iterator(task.dataset("train"), max_sentences=4, data_buffer_size=0)
    return task


def record_of(task: Any) -> dict[str, Any]:
    (record,) = task.get_checkpoint_dict().values()
    return record  # type: ignore[no-any-return]


def assert_refused(task: Any, saved: Any) -> None:
    """Check that a record is refused with a message of one line, and accepted with the option."""
    with pytest.raises(SpecMismatchError, match=ALLOW) as error:
        task.set_checkpoint_dict(saved)
    assert "\n" not in str(error.value)
    task.cfg.masking_allow_other_spec = True
    try:
        task.set_checkpoint_dict(saved)
    finally:
        task.cfg.masking_allow_other_spec = False


def test_a_task_accepts_its_own_record(task: Any, adaptive: Any) -> None:
    for each in (task, adaptive):
        each.set_checkpoint_dict(record_of(each))


@pytest.mark.parametrize("kind", FOREIGN)
def test_foreign_records(task: Any, kind: str) -> None:
    assert_refused(task, FOREIGN[kind])


def test_tampered_records(task: Any) -> None:
    @given(tampered(record_of(task)))
    def check(saved: Any) -> None:
        assert_refused(task, saved)

    check()


def test_any_json_value_is_refused(task: Any) -> None:
    @given(JSON)
    def check(saved: Any) -> None:
        assert_refused(task, saved)

    check()


@pytest.mark.parametrize(
    "change",
    [
        {"scores": torch.ones(3)},
        {"scores": torch.full((9,), float("nan"))},
        {"sums": torch.ones(2, 9)},
        {"sums": -torch.ones(2, 9, dtype=torch.int64)},
        {"tables": torch.ones(30, dtype=torch.bfloat16)},
        {"tables": torch.ones(30).to_sparse()},
        {"tables": [[1.0], 2.0]},
        {"round": -1},
        {"round": 10**5000},
        {"round": True},
        {"every": torch.ones(2)},
        {"momentum": None},
    ],
    ids=lambda change: next(iter(change)),
)
def test_damaged_losses(change: dict[str, Any]) -> None:
    tracker = LossTracker(LossTrackingConfig(every=2), 9, pad=1)
    state = tracker.state_dict()
    tracker.load_state_dict(state, allow=False)
    with pytest.raises(SpecMismatchError, match=ALLOW):
        tracker.load_state_dict({**state, **change}, allow=False)
    assert all((tracker.state_dict()[name] == state[name]).all() for name in ("scores", "tables"))


@pytest.mark.parametrize("kind", [*FOREIGN, "missing"])
def test_foreign_losses(adaptive: Any, kind: str) -> None:
    assert_refused(adaptive, {**record_of(adaptive), "feedback": FOREIGN.get(kind)})
