"""fairseq's commands in processes of their own, as a user types them."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from fairseq_runs import USER_DIR, Corpus, Observed, Run, output, train_flags


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
    config = {
        "common": {"user_dir": USER_DIR, "cpu": True, "no_progress_bar": True},
        "task": {"_name": "maskplug_translation", "data": corpus.data, **masking},
        "model": {
            "_name": "transformer",
            "encoder": {"embed_dim": 16},
            "share_all_embeddings": False,
        },
        "criterion": {"_name": "cross_entropy"},
        "optimizer": {"_name": "adam"},
        "lr_scheduler": {"_name": "fixed"},
        "dataset": {"batch_size": 16, "num_workers": 2, "required_batch_size_multiple": 1},
        "optimization": {"max_epoch": 2, "lr": [0.001]},
        "checkpoint": {"save_dir": str(observed.folder / "saved")},
    }
    small = {"layers": 1, "embed_dim": 16, "ffn_embed_dim": 16, "attention_heads": 2}
    config["model"] = {"_name": "transformer", "encoder": small, "decoder": small}
    text = "# @package _global_\n" + json.dumps(config)  # JSON is YAML
    (observed.folder / "masked.yaml").write_text(text)
    where = ["--config-dir", str(observed.folder), "--config-name", "masked"]
    output(observed.start("fairseq-hydra-train", *where))
    assert_epochs(corpus, observed.seen("masks"), 2)
    assert len(observed.processes()) == 3  # the main one, for the first batch, and two workers
    assert (observed.folder / "saved" / "checkpoint_last.pt").exists()


def two_processes(corpus: Corpus, observed: Observed, log: str, *flags: str) -> None:
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    group = [
        *("--distributed-world-size", "2", "--distributed-no-spawn", "--ddp-backend"),
        *("legacy_ddp", "--distributed-backend", "gloo", "--distributed-init-method"),
        f"tcp://localhost:{port}",
    ]
    common = train_flags(corpus, observed.folder / "saved", *flags, *group, max_epoch=0)
    ranks = [
        observed.start("fairseq-train", *common, "--distributed-rank", str(rank), log=log)
        for rank in range(2)
    ]
    for rank in ranks:
        output(rank)


def test_two_processes_and_their_resumption(corpus: Corpus, observed: Observed) -> None:
    flags = ("--num-workers", "1", "--disable-validation")
    two_processes(corpus, observed, "first", *flags, "--max-update", "5")  # of 8 an epoch
    two_processes(corpus, observed, "then", *flags, "--max-epoch", "2")
    assert len(observed.processes("first")) == len(observed.processes("then")) == 4
    assert_epochs(corpus, observed.seen("first", "then"), 2)


def test_generate_with_the_stock_task(corpus: Corpus, trained: Run, observed: Observed) -> None:
    where = ["--path", str(trained.folder / "checkpoint_last.pt"), "--user-dir", USER_DIR]
    size = ["--batch-size", "5", "--required-batch-size-multiple", "1", "--max-len-b", "5"]
    flags = [corpus.data, "--task", "translation", *where, *size, "--cpu", "--num-workers", "0"]
    text = output(observed.start("fairseq-generate", *flags))
    assert text.count("\nH-") == 10
    assert "Generate test with beam=5: BLEU4" in text


def test_a_mistake_is_the_last_line_of_the_output(corpus: Corpus, observed: Observed) -> None:
    flags = train_flags(corpus, observed.folder / "saved", "--masking-plugin", "dynamik")
    text = output(observed.start("fairseq-train", *flags), code=1)
    last = text.strip().splitlines()[-1]
    assert last.startswith("maskplug.errors.UnknownNameError: unknown strategy 'dynamik'")
    assert "did you mean 'dynamic'?" in last
    assert "begin training" not in text
