"""Interrupted runs: the masks go on, and other masks are refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from maskplug.errors import SpecMismatchError
from support.fairseq_runs import QUICK, Corpus, Run, train


def resumed_from(trained: Run, name: str, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    shutil.copy(trained.folder / name, folder / "checkpoint_last.pt")
    return folder


def assert_right_masks(corpus: Corpus, run: Run) -> None:
    for batch in run.fed:
        wanted = corpus.expected("source", batch.epoch - 1)
        assert batch.rows("src_tokens") == {i: wanted[i] for i in batch.rows("src_tokens")}


@pytest.mark.parametrize("workers", ["0", "2"])
def test_in_the_middle_of_an_epoch(
    corpus: Corpus, trained: Run, tmp_path: Path, workers: str
) -> None:
    folder = resumed_from(trained, "checkpoint_1_8.pt", tmp_path)
    run = train(corpus, folder, "--num-workers", workers, *QUICK)
    assert [batch.update for batch in run.fed] == list(range(8, 32))
    assert_right_masks(corpus, run)
    for now, then in zip(run.fed, trained.fed[8:16], strict=False):  # the rest of epoch 1
        assert now.rows("src_tokens") == then.rows("src_tokens")


def test_twice_in_one_epoch(corpus: Corpus, trained: Run, tmp_path: Path) -> None:
    folder = resumed_from(trained, "checkpoint_1_4.pt", tmp_path)
    flags = ("--save-interval-updates", "3", "--num-workers", "1")
    first = train(corpus, folder, *flags, "--max-update", "9", max_epoch=0)
    second = train(corpus, folder, *flags, max_epoch=2)
    assert [batch.update for batch in first.fed] == list(range(4, 9))
    assert [batch.update for batch in second.fed] == list(range(9, 32))
    both = Run(folder, [*first.fed, *second.fed])
    assert_right_masks(corpus, both)
    for now, then in zip(both.fed, trained.fed[4:16], strict=False):
        assert now.rows("src_tokens") == then.rows("src_tokens")


def test_at_an_epoch_s_end(corpus: Corpus, trained: Run, tmp_path: Path) -> None:
    folder = resumed_from(trained, "checkpoint1.pt", tmp_path)
    run = train(corpus, folder, *QUICK)
    assert {batch.epoch for batch in run.fed} == {2}
    assert run.seen(2) == trained.seen(2)


def test_steps_go_on(corpus: Corpus, tmp_path: Path) -> None:
    flags = ["--masking-args", '{"rate": 0.3, "clock": "step"}', "--update-freq", "2"]
    train(corpus, tmp_path, *flags, "--max-update", "11", max_epoch=0)
    run = train(corpus, tmp_path, *flags, max_epoch=2)
    assert run.fed[0].update == 11
    assert run.fed[-1].update == 15
    for batch in run.fed:
        options = {"clock": "step"}
        wanted = corpus.expected("source", 0, options=options, step=batch.update)
        assert batch.rows("src_tokens") == {i: wanted[i] for i in batch.rows("src_tokens")}


def test_the_checkpoint_remembers_plain_values(trained: Run) -> None:
    state = torch.load(trained.folder / "checkpoint_last.pt", weights_only=True)
    saved = state["extra_state"]["MaskplugTranslationTask"]
    assert saved["strategy"] == "dynamic@1"
    assert saved["options"].startswith('{"clock":{"name":"epoch@1"}')
    assert (saved["seed"], saved["side"], saved["symbols"]) == (7, "source", "madeupword0000")
    assert {type(value) for value in saved.values()} == {str, int}


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (("--masking-plugin", "span"), ("dynamic@1", "span@1")),
        (("--masking-args", '{"rate": 0.2}'), ('"rate":0.3', '"rate":0.2')),
        (("--masking-seed", "8"), ("--masking-seed 7", "--masking-seed 8")),
        (("--masking-side", "both"), ("--masking-side source", "--masking-side both")),
        (("--masking-symbol", "<unk>"), ("madeupword0000", "<unk>")),
        (("--masking-plugin", "none", "--masking-args", "{}"), ("dynamic@1", "none@1")),
    ],
)
def test_other_masks_are_refused(
    corpus: Corpus, trained: Run, tmp_path: Path, flags: tuple[str, ...], named: tuple[str, str]
) -> None:
    folder = resumed_from(trained, "checkpoint_1_8.pt", tmp_path)
    saved = (folder / "checkpoint_last.pt").read_bytes()
    with pytest.raises(SpecMismatchError, match="--masking-allow-other-spec") as error:
        train(corpus, folder, *flags, "--num-workers", "0")
    assert all(name in str(error.value) for name in named)
    assert (folder / "checkpoint_last.pt").read_bytes() == saved


def test_other_masks_on_request(corpus: Corpus, trained: Run, tmp_path: Path) -> None:
    folder = resumed_from(trained, "checkpoint1.pt", tmp_path)
    flags = ("--masking-plugin", "span", "--masking-allow-other-spec")
    run = train(corpus, folder, *flags)
    assert run.seen(2) == dict(enumerate(corpus.expected("source", 1, "span")))
    state = torch.load(folder / "checkpoint_last.pt", weights_only=True)
    assert state["extra_state"]["MaskplugTranslationTask"]["strategy"] == "span@1"


def test_options_written_otherwise_are_the_same_masks(
    corpus: Corpus, trained: Run, tmp_path: Path
) -> None:
    folder = resumed_from(trained, "checkpoint1.pt", tmp_path)
    same = ("--masking-plugin", "dynamic@1", "--masking-args", '{"mask": 0.8, "rate": 0.3}')
    assert train(corpus, folder, *same, *QUICK).seen(2) == trained.seen(2)
