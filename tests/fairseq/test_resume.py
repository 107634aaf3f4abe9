"""Resumed runs continue with the same masks; other masks are refused."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from maskplug.errors import SpecMismatchError
from support.fairseq_data import Corpus
from support.fairseq_runs import NO_MASKS, QUICK, Run, task_of, train


def copied(trained: Run, name: str, folder: Path) -> Path:
    """Return a folder whose last checkpoint is a checkpoint of a run."""
    shutil.copy(trained.folder / name, folder / "checkpoint_last.pt")
    return folder


def record_of(folder: Path) -> dict[str, Any]:
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
    record = record_of(trained.folder)
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
    with pytest.raises(SpecMismatchError, match="--masking-allow-other-spec") as error:
        task.set_checkpoint_dict(record_of(trained.folder))
    assert all(name in str(error.value) for name in names)


def test_other_masks_need_an_option(corpus: Corpus, trained: Run, tmp_path: Path) -> None:
    folder = copied(trained, "checkpoint1.pt", tmp_path)
    saved = (folder / "checkpoint_last.pt").read_bytes()
    with pytest.raises(SpecMismatchError, match="--masking-allow-other-spec"):
        train(corpus, folder, "--masking-plugin", "span")
    assert (folder / "checkpoint_last.pt").read_bytes() == saved
    run = train(corpus, folder, "--masking-plugin", "span", "--masking-allow-other-spec")
    assert run.rows(2) == corpus.expected("source", 1, "span")
    assert record_of(folder)["strategy"] == "span@1"
