"""What models are fed: masks made in real data-loading workers, epoch by epoch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from support.fairseq_runs import QUICK, SIZES, Corpus, Run, train

ALL = set(range(SIZES["train"]))


def share_of_differences(first: dict[int, list[int]], second: dict[int, list[int]]) -> float:
    assert set(first) == set(second) == ALL
    return sum(first[i] != second[i] for i in first) / len(first)


def assert_masks_of_the_core(corpus: Corpus, run: Run, side: str = "source") -> None:
    for epoch in (1, 2):
        assert run.seen(epoch) == dict(enumerate(corpus.expected(side, epoch - 1)))
    assert share_of_differences(run.seen(1), run.seen(2)) > 0.99


def test_two_workers(corpus: Corpus, trained: Run) -> None:
    assert_masks_of_the_core(corpus, trained)


@pytest.mark.parametrize("workers", [0, 1, 2])
@pytest.mark.parametrize("batch", ["4", "16"])
def test_workers_and_batches(corpus: Corpus, tmp_path: Path, workers: int, batch: str) -> None:
    flags = ["--num-workers", str(workers), "--batch-size", batch, *QUICK]
    assert_masks_of_the_core(corpus, train(corpus, tmp_path, *flags))


@pytest.mark.parametrize(
    "flags",
    [
        ("--left-pad-source",),  # turns left padding, the default, off
        ("--max-tokens", "200", "--left-pad-target"),
        ("--update-freq", "3", "--data-buffer-size", "0"),
        ("--seed", "12", "--curriculum", "1"),
        ("--truncate-source", "--max-source-positions", "1000"),
    ],
)
def test_nothing_else_changes_a_mask(
    corpus: Corpus, tmp_path: Path, flags: tuple[str, ...]
) -> None:
    assert_masks_of_the_core(corpus, train(corpus, tmp_path, *flags, *QUICK))


def test_padding_side_is_what_was_asked_for(corpus: Corpus, trained: Run, tmp_path: Path) -> None:
    right = train(corpus, tmp_path, "--left-pad-source", *QUICK, max_epoch=1)
    for run, column in ((trained, 0), (right, -1)):
        columns = [batch.sample["net_input"]["src_tokens"][:, column] for batch in run.fed]
        assert 1 in torch.cat(columns)
        columns = [batch.sample["net_input"]["src_tokens"][:, -1 - column] for batch in run.fed]
        assert 1 not in torch.cat(columns)


def test_only_the_source_by_default(corpus: Corpus, trained: Run) -> None:
    clean = corpus.rows("target")
    for epoch in (1, 2):
        assert trained.seen(epoch, "target") == dict(enumerate(clean))
        fed = trained.seen(epoch, "prev_output_tokens")
        assert fed == {i: [2, *row[:-1]] for i, row in enumerate(clean)}


@pytest.mark.parametrize("side", ["target", "both"])
def test_decoder_inputs(corpus: Corpus, tmp_path: Path, side: str) -> None:
    run = train(corpus, tmp_path, "--masking-side", side, "--num-workers", "1", *QUICK)
    for epoch in (1, 2):
        masked = corpus.expected("target", epoch - 1)
        fed = run.seen(epoch, "prev_output_tokens")
        assert fed == {i: [2, *row[:-1]] for i, row in enumerate(masked)}
        assert run.seen(epoch, "target") == dict(enumerate(corpus.rows("target")))
        sources = (
            corpus.rows("source") if side == "target" else corpus.expected("source", epoch - 1)
        )
        assert run.seen(epoch) == dict(enumerate(sources))


def test_static_none_and_another_seed(corpus: Corpus, trained: Run, tmp_path: Path) -> None:
    static = train(corpus, tmp_path, "--masking-plugin", "static", *QUICK)
    assert static.seen(1) == static.seen(2) == dict(enumerate(corpus.expected("source", 0)))
    none = train(corpus, tmp_path, "--masking-plugin", "none", "--masking-args", "{}", *QUICK)
    assert none.seen(1) == none.seen(2) == dict(enumerate(corpus.rows("source")))
    other = train(corpus, tmp_path, "--masking-seed", "8", *QUICK, max_epoch=1)
    assert share_of_differences(other.seen(1), trained.seen(1)) > 0.99


def test_a_schedule_follows_the_epochs_up_to_max_epoch(corpus: Corpus, tmp_path: Path) -> None:
    options = {"rate": {"name": "linear", "start": 0.5, "end": 0.1}}
    flags = ["--masking-args", str(options).replace("'", '"'), "--num-workers", "2", *QUICK]
    run = train(corpus, tmp_path, *flags, max_epoch=3)
    for epoch, progress in ((1, 0.0), (2, 0.5), (3, 1.0)):
        wanted = corpus.expected("source", epoch - 1, options=options, progress=progress)
        assert run.seen(epoch) == dict(enumerate(wanted))


@pytest.mark.parametrize(
    "flags",
    [
        ("--num-workers", "0"),
        ("--num-workers", "2", "--update-freq", "3,1"),
        ("--num-workers", "1", "--update-freq", "3", "--skip-remainder-batch"),
    ],
)
def test_a_clock_of_steps_counts_updates(
    corpus: Corpus, tmp_path: Path, flags: tuple[str, ...]
) -> None:
    masking = ["--masking-args", '{"rate": 0.3, "clock": "step"}', *QUICK]
    run = train(corpus, tmp_path, *flags, *masking)
    assert len({batch.update for batch in run.fed}) > 6
    for batch in run.fed:
        step = batch.update
        wanted = corpus.expected("source", 0, options={"clock": "step"}, step=step)
        for key, row in batch.rows("src_tokens").items():
            assert row == wanted[key]


def test_no_global_generator_moves(corpus: Corpus, tmp_path: Path) -> None:
    states = []
    for plugin in ("none", "dynamic"):
        args = "{}" if plugin == "none" else '{"rate": 0.3}'
        flags = ("--masking-plugin", plugin, "--masking-args", args)
        train(corpus, tmp_path, *flags, "--num-workers", "0", *QUICK, max_epoch=1)
        states.append((torch.get_rng_state(), np.random.get_state()[1]))  # noqa: NPY002
    assert torch.equal(states[0][0], states[1][0])
    assert np.array_equal(states[0][1], states[1][1])
