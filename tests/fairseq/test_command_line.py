"""fairseq's commands in processes of their own, as a user types them."""

from __future__ import annotations

import json
import shutil
import socket
from pathlib import Path

import pytest

from support.fairseq_runs import QUICK, USER_DIR, Corpus, Observed, Run, output, train_flags


@pytest.fixture
def observed(tmp_path: Path) -> Observed:
    (tmp_path / "observed").mkdir()
    return Observed(tmp_path / "observed")


def assert_epochs(corpus: Corpus, seen: dict[int, dict[int, list[int]]], epochs: int) -> None:
    wanted = {e: dict(enumerate(corpus.expected("source", e))) for e in range(epochs)}
    assert seen == wanted


def test_hydra_by_yaml(corpus: Corpus, observed: Observed) -> None:
    masking = {
        "masking_plugin": "dynamic",
        "masking_args": '{"rate": 0.3}',
        "masking_side": "source",
        "masking_seed": 7,
    }
    small = {"layers": 1, "embed_dim": 16, "ffn_embed_dim": 16, "attention_heads": 2}
    config = {
        "common": {"user_dir": USER_DIR, "cpu": True, "no_progress_bar": True},
        "task": {"_name": "maskplug_translation", "data": corpus.data, **masking},
        "model": {"_name": "transformer", "encoder": small, "decoder": small},
        "criterion": {"_name": "cross_entropy"},
        "optimizer": {"_name": "adam"},
        "lr_scheduler": {"_name": "fixed"},
        "dataset": {
            "batch_size": 16,
            "disable_validation": True,
            "num_workers": 2,
            "required_batch_size_multiple": 1,
        },
        "optimization": {"max_epoch": 2, "lr": [0.001]},
        "checkpoint": {"save_dir": str(observed.folder / "saved")},
    }
    text = "# @package _global_\n" + json.dumps(config)  # JSON is YAML
    (observed.folder / "masked.yaml").write_text(text)
    where = ["--config-dir", str(observed.folder), "--config-name", "masked"]
    output(observed.start("fairseq-hydra-train", *where))
    assert_epochs(corpus, observed.seen(), 2)
    assert len(observed.processes()) == 3  # the main one, for the first batch, and two workers
    assert (observed.folder / "saved" / "checkpoint_last.pt").exists()


def test_two_processes_resume_what_one_began(
    corpus: Corpus, trained: Run, observed: Observed
) -> None:
    folder = observed.folder / "saved"
    folder.mkdir()
    shutil.copy(trained.folder / "checkpoint_1_4.pt", folder / "checkpoint_last.pt")
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    group = [
        *("--distributed-world-size", "2", "--distributed-no-spawn", "--ddp-backend"),
        *("legacy_ddp", "--distributed-backend", "gloo", "--distributed-init-method"),
        f"tcp://localhost:{port}",
    ]
    flags = train_flags(corpus, folder, *group, *QUICK, "--num-workers", "1")
    ranks = [
        observed.start("fairseq-train", *flags, "--distributed-rank", str(rank))
        for rank in range(2)
    ]
    for rank in ranks:
        output(rank)
    assert len(observed.processes()) == 4  # each with its worker
    seen = observed.seen()
    first = corpus.expected("source", 0)
    assert 32 <= len(seen[0]) < 64
    assert all(first[key] == row for key, row in seen.pop(0).items())
    assert seen == {1: dict(enumerate(corpus.expected("source", 1)))}


def test_a_mistake_is_the_last_line_of_the_output(corpus: Corpus, observed: Observed) -> None:
    flags = train_flags(corpus, observed.folder / "saved", "--masking-plugin", "dynamik")
    text = output(observed.start("fairseq-train", *flags), code=1)
    last = text.strip().splitlines()[-1]
    assert last.startswith("maskplug.errors.UnknownNameError: unknown strategy 'dynamik'")
    assert "did you mean 'dynamic'?" in last
    assert "begin training" not in text
