"""fairseq's commands in their own processes."""

from __future__ import annotations

import json
import shutil
import socket
from pathlib import Path

import pytest

from support.fairseq_data import Corpus
from support.fairseq_runs import QUICK, USER_DIR, Run, command
from support.observed import ObservedProcesses, output_of


@pytest.fixture
def observed(tmp_path: Path) -> ObservedProcesses:
    return ObservedProcesses(tmp_path / "observed")


@pytest.mark.slow  # a process; the runs of fairseq-train are its small form
def test_hydra_with_yaml(corpus: Corpus, observed: ObservedProcesses) -> None:
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
    flags = ["--config-dir", str(observed.folder), "--config-name", "masked"]
    output_of(observed.start("fairseq-hydra-train", *flags))
    masks, processes = observed.masks()
    assert masks == {
        (epoch, i): row for epoch in range(2) for i, row in corpus.expected("source", epoch).items()
    }
    assert len(processes) == 3  # the main process, for the first batch, and two workers
    assert (observed.folder / "saved" / "checkpoint_last.pt").exists()


@pytest.mark.slow  # two processes; test_shards_of_a_distributed_run is its small form
def test_two_processes_resume_a_run_of_one(
    corpus: Corpus, trained: Run, observed: ObservedProcesses
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
    flags = command(corpus, folder, *group, *QUICK, "--num-workers", "1")
    ranks = [
        observed.start("fairseq-train", *flags, "--distributed-rank", str(rank))
        for rank in range(2)
    ]
    for rank in ranks:
        output_of(rank)
    masks, processes = observed.masks()
    assert len(processes) == 4  # each rank has a worker
    expected = [corpus.expected("source", epoch) for epoch in range(2)]
    assert all(expected[epoch][i] == row for (epoch, i), row in masks.items())
    epochs = [epoch for epoch, _ in masks]
    assert 32 <= epochs.count(0) < epochs.count(1) == 64


@pytest.mark.slow  # a process; test_bad_input is its small form
def test_the_last_line_of_the_output_is_the_error(
    corpus: Corpus, observed: ObservedProcesses
) -> None:
    flags = command(corpus, observed.folder / "saved", "--masking-plugin", "dynamik")
    text = output_of(observed.start("fairseq-train", *flags), code=1)
    last = text.strip().splitlines()[-1]
    assert last.startswith("maskplug.errors.UnknownNameError: unknown strategy 'dynamik'")
    assert "did you mean 'dynamic'?" in last
    assert "begin training" not in text
