"""maskplug_masked_lm: rows are cut as fairseq cuts them and masked as the core masks them."""

from __future__ import annotations

import pickle
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from fairseq import checkpoint_utils
from fairseq.models.roberta import RobertaModel
from fairseq.tasks.masked_lm import MaskedLMConfig, MaskedLMTask

from maskplug.errors import OptionError, SpecMismatchError
from maskplug_fairseq import MaskplugMaskedLMTask
from maskplug_fairseq.step_schedule import TimedBatch, TimedIndex
from support import fairseq_runs
from support.fairseq_data import BOS, EOS, LENGTH, Text, cut, mask_rows
from support.fairseq_runs import (
    QUICK,
    USER_DIR,
    Batch,
    Run,
    assert_resumed,
    rows_by_id,
    train_command,
    validate,
)

TASK = "maskplug_masked_lm"
SPEC = ("dynamic", {"rate": 0.3})
ROWS = ("--tokens-per-sample", str(LENGTH), "--criterion", "masked_lm")
train = partial(fairseq_runs.train, task=TASK)
train_split = partial(fairseq_runs.train_split, task=TASK)


def rows(text: Text, mode: str, split: str = "train", language: str = "de") -> list[list[int]]:
    lines = [[*line, EOS] for line in text.lines(split, language)]
    return [[BOS, *row] for row in cut(lines, mode, LENGTH - 1)]


def assert_masks(batches: list[Batch], unmasked: list[list[int]], text: Text, epoch: int) -> None:
    """Check inputs and targets of an epoch, counted from 1, against the core."""
    expected = mask_rows(unmasked, text.dictionary("<mask>"), range(len(unmasked)), epoch - 1, SPEC)
    inputs, labels = expected.inputs.to_lists(), expected.labels.to_lists()
    assert rows_by_id(batches) == dict(enumerate(inputs))
    for batch in batches:
        sample = batch.sample
        lengths = sample["net_input"]["src_lengths"].tolist()
        assert sample["nsentences"] == len(lengths)
        assert sample["ntokens"] == sum(lengths)
        for i, n, target in zip(sample["id"], lengths, sample["target"], strict=True):
            assert n == len(unmasked[i])
            label = [1 if x < 0 else x for x in labels[i]]
            assert target.tolist() == label + [1] * (len(target) - n)


@pytest.fixture(scope="module")
def pretrained(text: Text, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two epochs with two workers; a checkpoint every 4 updates."""
    flags = ("--sample-break-mode", "complete", "--num-workers", "2")
    folder = tmp_path_factory.mktemp("pretrained")
    return train(text, folder, *ROWS, *flags, "--save-interval-updates", "4")


def test_two_workers(text: Text, pretrained: Run) -> None:
    first, second = pretrained.rows(1), pretrained.rows(2)
    assert sum(first[i] != second[i] for i in first) > 0.9 * len(first)
    for epoch in (1, 2):
        assert_masks(pretrained.epoch(epoch), rows(text, "complete"), text, epoch)


@pytest.mark.parametrize(("mode", "workers"), [("none", "0"), ("complete_doc", "1"), ("eos", "0")])
def test_rows_and_workers(text: Text, tmp_path: Path, mode: str, workers: str) -> None:
    flags = ("--sample-break-mode", mode, "--num-workers", workers, "--max-tokens", "300")
    run = train(text, tmp_path, *ROWS, *flags, *QUICK)
    for epoch in (1, 2):
        assert_masks(run.epoch(epoch), rows(text, mode), text, epoch)


@pytest.mark.parametrize("workers", ["0", pytest.param("2", marks=pytest.mark.slow)])
def test_resume_in_the_middle_of_an_epoch(
    text: Text, pretrained: Run, tmp_path: Path, workers: str
) -> None:
    shutil.copy(pretrained.folder / "checkpoint_1_4.pt", tmp_path / "checkpoint_last.pt")
    flags = (*ROWS, "--sample-break-mode", "complete", "--disable-validation")
    run = train(text, tmp_path, *flags, "--num-workers", workers)
    assert_resumed(run, pretrained, 4)
    with pytest.raises(SpecMismatchError, match=r"other: seed\)") as error:
        train(text, tmp_path, *flags, "--masking-seed", "8", max_epoch=3)
    assert "--masking-side" not in str(error.value)


def test_validation_has_the_same_masks_in_every_epoch(text: Text, pretrained: Run) -> None:
    unmasked = rows(text, "complete", "valid")
    batches = -(-len(unmasked) // 4)
    for epoch in (1, 2):
        last = [batch for batch in pretrained.valid_batches if batch.epoch == epoch][-batches:]
        assert_masks(last, unmasked, text, epoch=1)
    for split in ("valid", "train"):
        run = validate(text, pretrained.folder, TASK, subset=split)
        assert_masks(run.valid_batches, rows(text, "complete", split), text, epoch=1)


def test_data_folders_alternate(text: Text, tmp_path: Path) -> None:
    flags = ("--sample-break-mode", "none", *QUICK)
    _, *rest = fairseq_runs.command(text, tmp_path, *ROWS, *flags, task=TASK)
    run = train_command([f"{text.data}:{text.data}/en", *rest], tmp_path)
    for epoch, language in ((1, "de"), (2, "en")):
        unmasked = rows(text, "none", language=language)
        assert_masks(run.epoch(epoch), unmasked, text, epoch)


def test_weights_and_annotations_are_refused(text: Text) -> None:
    task = fairseq_runs.task_of(text, *ROWS, task=TASK)
    plain = task.masking_strategy.dry_run(task.masking_vocabularies["source"])
    task.check_result(plain)
    size = len(plain.inputs.values)
    with pytest.raises(OptionError, match="'dynamic@1' weights its losses"):
        task.check_result(replace(plain, weights=np.ones(size)))
    with pytest.raises(OptionError, match="gives the model 'position_ids'"):
        task.check_result(replace(plain, annotations={"position_ids": np.arange(size)}))


def test_fairseq_loads_the_checkpoints(text: Text, pretrained: Run) -> None:
    plain = MaskedLMTask.setup_task(MaskedLMConfig(data=text.data))
    paths = [str(pretrained.folder / "checkpoint_last.pt")]
    models, _ = checkpoint_utils.load_model_ensemble(paths, task=plain)
    assert models[0].encoder.sentence_encoder.embed_tokens.num_embeddings == plain.mask_idx + 1
    hub = RobertaModel.from_pretrained(
        str(pretrained.folder), "checkpoint_last.pt", text.data, user_dir=USER_DIR, bpe=None
    )
    assert isinstance(hub.task, MaskplugMaskedLMTask)


@pytest.mark.parametrize("mode", ["none", "eos"])
def test_pickled_datasets_make_the_same_masks(text: Text, mode: str) -> None:
    dataset = train_split(text, *ROWS, "--sample-break-mode", mode)
    unmasked = rows(text, mode)
    expected = mask_rows(unmasked, text.dictionary("<mask>"), range(len(unmasked)), 3, SPEC)
    for each in (dataset, pickle.loads(pickle.dumps(dataset))):
        items = [each[TimedIndex(i, 3, 0)] for i in range(4)]
        inputs = rows_by_id([Batch(1, 0, each.collater(items))])
        assert inputs == dict(enumerate(expected.inputs.to_lists()[:4]))


def test_batches_loaded_together_or_item_by_item_are_equal(text: Text) -> None:
    dataset = train_split(text, *ROWS, "--sample-break-mode", "complete")
    dataset.set_epoch(4)
    mixed = [3, TimedIndex(0, 7, 2), 5]
    timed = TimedBatch(np.array([4, 1]), 2, 9)
    for indices in (mixed, timed):
        items = [dataset[index] for index in indices]
        together, alone = dataset.collater(dataset.__getitems__(indices)), dataset.collater(items)
        assert together["net_input"].keys() == alone["net_input"].keys()
        assert together["ntokens"] == alone["ntokens"]
        for name in ("src_tokens", "src_lengths"):
            assert torch.equal(together["net_input"][name], alone["net_input"][name])
        for name in ("id", "target"):
            assert torch.equal(together[name], alone[name])
    assert [dataset[index]["time"] for index in mixed] == [(3, 0), (7, 2), (3, 0)]
    assert [item["time"] for item in dataset.__getitems__(timed)] == [(2, 9), (2, 9)]


def test_empty_batches(text: Text) -> None:
    task = fairseq_runs.task_of(text, *ROWS, "--sample-break-mode", "complete", task=TASK)
    task.load_dataset("train")
    dataset = task.dataset("train")
    assert dataset.collater([]) == {}
    shards = len(dataset) - 1  # one row per batch: only the first rank has two batches
    iterator = task.get_batch_iterator(
        dataset, max_sentences=1, num_shards=shards, shard_id=shards - 1
    )
    assert list(iterator.next_epoch_itr())[1:] == [{}]
