"""The masks that models receive from real data-loading workers, epoch by epoch."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast

import maskplug
from maskplug_hf import DataCollatorForMasking
from support.fairseq_data import SIZES, Corpus
from support.fairseq_runs import NO_MASKS, QUICK, Run, train


def share_of_differences(first: dict[int, list[int]], second: dict[int, list[int]]) -> float:
    assert set(first) == set(second)
    return sum(first[i] != second[i] for i in first) / len(first)


def assert_masks_of_the_core(corpus: Corpus, run: Run, side: str = "source") -> None:
    for epoch in (1, 2):
        assert run.rows(epoch) == corpus.expected(side, epoch - 1)
    assert share_of_differences(run.rows(1), run.rows(2)) > 0.99


def test_two_workers(corpus: Corpus, trained: Run) -> None:
    assert_masks_of_the_core(corpus, trained)


@pytest.mark.parametrize(
    ("workers", "batch"),
    [
        ("0", "16"),
        ("1", "16"),
        *(pytest.param(w, b, marks=pytest.mark.slow) for w, b in [("2", "16"), ("1", "4")]),
    ],
)
def test_workers_and_batch_sizes(corpus: Corpus, tmp_path: Path, workers: str, batch: str) -> None:
    flags = ["--num-workers", workers, "--batch-size", batch, *QUICK]
    assert_masks_of_the_core(corpus, train(corpus, tmp_path, *flags))


def test_other_options_do_not_change_masks(corpus: Corpus, trained: Run, tmp_path: Path) -> None:
    flags = [  # --left-pad-source turns left padding, the default, off
        *("--left-pad-source", "--left-pad-target", "--max-tokens", "200", "--seed", "12"),
        *("--update-freq", "3", "--data-buffer-size", "0", "--curriculum", "1"),
        *("--truncate-source", "--max-source-positions", "1000"),
    ]
    right = train(corpus, tmp_path, *flags, *QUICK)
    assert_masks_of_the_core(corpus, right)
    for run, column in ((trained, 0), (right, -1)):
        for side, padded in ((column, True), (-1 - column, False)):
            ids = [batch.sample["net_input"]["src_tokens"][:, side] for batch in run.batches]
            assert (1 in torch.cat(ids)) == padded


@pytest.mark.parametrize("side", ["source", "target", "both"])
def test_masked_sides(corpus: Corpus, trained: Run, tmp_path: Path, side: str) -> None:
    flags = ("--masking-side", side, *QUICK)
    run = trained if side == "source" else train(corpus, tmp_path, *flags)
    for epoch in (1, 2):
        rows = {
            name: corpus.expected(name, epoch - 1)
            if side in (name, "both")
            else dict(enumerate(corpus.rows(name)))
            for name in ("source", "target")
        }
        assert run.rows(epoch) == rows["source"]
        decoder_inputs = {i: [2, *row[:-1]] for i, row in rows["target"].items()}
        assert run.rows(epoch, "prev_output_tokens") == decoder_inputs
        assert run.rows(epoch, "target") == dict(enumerate(corpus.rows("target")))


def test_static_masks(corpus: Corpus, tmp_path: Path) -> None:
    static = train(corpus, tmp_path, "--masking-plugin", "static", *QUICK)
    assert static.rows(1) == static.rows(2) == corpus.expected("source", 0)


def test_no_masks_another_seed_and_global_random_generators(
    corpus: Corpus, trained: Run, tmp_path: Path
) -> None:
    runs, states = [], []
    for flags in (NO_MASKS, ["--masking-seed", "8"]):
        runs.append(train(corpus, tmp_path, *flags, *QUICK))
        states.append((torch.get_rng_state(), np.random.get_state()[1]))  # noqa: NPY002
    unmasked, other = runs
    assert unmasked.rows(1) == unmasked.rows(2) == dict(enumerate(corpus.rows("source")))
    assert share_of_differences(other.rows(1), trained.rows(1)) > 0.99
    # Masking draws nothing from the global generators.
    assert torch.equal(states[0][0], states[1][0])
    assert np.array_equal(states[0][1], states[1][1])


def test_schedules_run_up_to_max_epoch(corpus: Corpus, tmp_path: Path) -> None:
    options = {"rate": {"name": "linear", "start": 0.5, "end": 0.1}}
    flags = ["--masking-args", json.dumps(options), "--num-workers", "2", *QUICK]
    run = train(corpus, tmp_path, *flags, max_epoch=3)
    for epoch, progress in ((1, 0.0), (2, 0.5), (3, 1.0)):
        expected = corpus.expected("source", epoch - 1, options=options, progress=progress)
        assert run.rows(epoch) == expected


@pytest.mark.parametrize(
    "flags",
    [
        ("--num-workers", "2", "--update-freq", "3,1"),
        ("--num-workers", "1", "--update-freq", "3", "--skip-remainder-batch"),
    ],
)
def test_a_step_clock_counts_updates(
    corpus: Corpus, tmp_path: Path, flags: tuple[str, ...]
) -> None:
    masking = ["--masking-args", '{"rate": 0.3, "clock": "step"}', *QUICK]
    run = train(corpus, tmp_path, *flags, *masking)
    assert len({batch.update for batch in run.batches}) > 6
    for batch in run.batches:
        options = {"clock": "step"}
        expected = corpus.expected("source", 0, options=options, step=batch.update)
        assert batch.rows().items() <= expected.items()


def test_the_example_plugin_has_equal_masks_in_all_frameworks(
    corpus: Corpus, tmp_path: Path
) -> None:
    rows, vocab = corpus.rows("source"), corpus.vocabulary("source")
    tokens = maskplug.TokenBatch.from_lists(rows, keys=range(SIZES["train"]))
    strategy = maskplug.strategy("periodic", period=4)
    expected = strategy(tokens, vocab, seed=7).inputs.to_lists()
    assert expected != rows

    symbols = {symbol: i for i, symbol in enumerate(corpus.dictionary("source").symbols)}
    word_level = Tokenizer(models.WordLevel(symbols, unk_token="<unk>"))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=word_level, pad_token="<pad>")
    options = {"period": 4, "vocabulary": vocab, "return_tensors": "np"}
    collator = DataCollatorForMasking(tokenizer, "periodic", seed=7, **options)
    collator.set_epoch(0)
    batch = collator([{"input_ids": row, "sample_id": i} for i, row in enumerate(rows)])
    lengths = batch["attention_mask"].sum(1)
    collated = [row[:n].tolist() for row, n in zip(batch["input_ids"], lengths, strict=True)]
    assert collated == expected

    flags = ["--masking-plugin", "periodic", "--masking-args", '{"period": 4}', *QUICK]
    run = train(corpus, tmp_path, *flags, max_epoch=1)
    assert run.rows(1) == dict(enumerate(expected))
