"""maskplug_masked_lm: rows are cut as fairseq cuts them, and masked as the core masks them."""

from __future__ import annotations

import pickle
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fairseq import checkpoint_utils
from fairseq.models.roberta import RobertaModel
from fairseq.tasks.masked_lm import MaskedLMConfig, MaskedLMTask

from maskplug.errors import MaskplugError, OptionError, SpecMismatchError
from maskplug_fairseq import MaskplugMaskedLMTask
from maskplug_fairseq.epoch import Sample, TimedBatch
from support.fairseq_runs import DELETE, QUICK, USER_DIR, Fed, Run, trained_by
from support.texts import (
    BOS,
    EOS,
    LENGTH,
    Text,
    blocks,
    command,
    found,
    masked,
    task_of,
    train,
    validated,
    weights,
)

TASK = "maskplug_masked_lm"
SPEC = ("dynamic", {"rate": 0.3})
CUT = ("--tokens-per-sample", str(LENGTH), "--criterion", "masked_lm")


def rows(text: Text, mode: str, split: str = "train") -> list[list[int]]:
    lines = [[*line, EOS] for line in text.lines(split)]
    return [[BOS, *row] for row in blocks(lines, mode, LENGTH - 1)]


def assert_masks(
    batches: list[Any], given: list[list[int]], text: Text, epoch: int, spec: Any = SPEC
) -> None:
    """Inputs and targets of an epoch (from 1), each row once, as the core makes them."""
    wanted = masked(given, text.dictionary("<mask>"), range(len(given)), epoch - 1, spec)
    inputs, labels = wanted.inputs.to_lists(), wanted.labels.to_lists()
    assert found(batches, "src_tokens") == dict(enumerate(inputs))
    for batch in batches:
        lengths = batch.sample["net_input"]["src_lengths"].tolist()
        assert batch.sample["nsentences"] == len(lengths)
        assert batch.sample["ntokens"] == sum(lengths)
        for i, n, target in zip(batch.sample["id"], lengths, batch.sample["target"], strict=True):
            assert n == len(given[i])
            label = [1 if x < 0 else x for x in labels[i]]
            assert target.tolist() == label + [1] * (len(target) - n)


def epoch_of(run: Run, epoch: int) -> list[Any]:
    return [batch for batch in run.fed if batch.epoch == epoch]


@pytest.fixture(scope="module")
def pretrained(text: Text, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two epochs with two workers, and a checkpoint every 4 updates."""
    flags = ("--sample-break-mode", "complete", "--num-workers", "2")
    folder = tmp_path_factory.mktemp("pretrained")
    return train(text, TASK, folder, *CUT, *flags, "--save-interval-updates", "4")


def test_masks_of_the_core_with_two_workers(text: Text, pretrained: Run) -> None:
    given = rows(text, "complete")
    first, second = (found(epoch_of(pretrained, epoch), "src_tokens") for epoch in (1, 2))
    assert sum(first[i] != second[i] for i in first) > 0.9 * len(first)
    for epoch in (1, 2):
        assert_masks(epoch_of(pretrained, epoch), given, text, epoch)


@pytest.mark.parametrize(
    ("mode", "workers"), [("none", "0"), ("complete_doc", "1"), ("eos", "0"), ("complete", "1")]
)
def test_rows_and_workers(text: Text, tmp_path: Path, mode: str, workers: str) -> None:
    flags = ("--sample-break-mode", mode, "--num-workers", workers, "--max-tokens", "300")
    run = train(text, TASK, tmp_path, *CUT, *flags, *QUICK)
    for epoch in (1, 2):
        assert_masks(epoch_of(run, epoch), rows(text, mode), text, epoch)


@pytest.mark.parametrize("workers", ["0", "2"])
def test_resumed_in_the_middle_of_an_epoch(
    text: Text, pretrained: Run, tmp_path: Path, workers: str
) -> None:
    shutil.copy(pretrained.folder / "checkpoint_1_4.pt", tmp_path / "checkpoint_last.pt")
    flags = ("--sample-break-mode", "complete", "--num-workers", workers)
    run = train(text, TASK, tmp_path, *CUT, *flags, "--disable-validation")
    assert [batch.update for batch in run.fed] == [b.update for b in pretrained.fed[4:]]
    for now, then in zip(run.fed, pretrained.fed[4:], strict=True):
        assert now.rows("src_tokens") == then.rows("src_tokens")
        assert torch.equal(now.sample["target"], then.sample["target"])
    whole = weights(pretrained.folder)
    assert all(torch.equal(value, whole[name]) for name, value in weights(tmp_path).items())


def test_resumed_with_other_masks(text: Text, pretrained: Run, tmp_path: Path) -> None:
    shutil.copy(pretrained.folder / "checkpoint_1_4.pt", tmp_path / "checkpoint_last.pt")
    flags = ("--sample-break-mode", "complete", "--masking-seed", "8", "--disable-validation")
    with pytest.raises(SpecMismatchError, match=r"other: seed\)") as error:
        train(text, TASK, tmp_path, *CUT, *flags)
    assert "--masking-side" not in str(error.value)


def test_validation_is_masked_once_and_for_all(text: Text, pretrained: Run) -> None:
    given = rows(text, "complete", "valid")
    batches = -(-len(given) // 4)
    for epoch in (1, 2):
        at_end = [batch for batch in pretrained.checked if batch.epoch == epoch][-batches:]
        assert_masks(at_end, given, text, epoch=1)
    run = validated(pretrained.folder, text.data, TASK)
    assert_masks(run.checked, given, text, epoch=1)


def test_fairseq_validate_on_the_training_set(text: Text, pretrained: Run) -> None:
    run = validated(pretrained.folder, text.data, TASK, subset="train")
    assert_masks(run.checked, rows(text, "complete"), text, epoch=1)


def test_data_folders_take_turns(text: Text, tmp_path: Path) -> None:
    flags = ("--sample-break-mode", "eos", "--num-workers", "0", *QUICK)
    _, *made = command(text, TASK, tmp_path, *CUT, *flags)
    run = trained_by([f"{text.data}:{text.data}/en", *made], tmp_path)
    for epoch, language in ((1, "de"), (2, "en")):
        given = [[BOS, *line, EOS] for line in text.lines("train", language)]
        assert_masks(epoch_of(run, epoch), given, text, epoch)


def test_lines_that_are_too_long_are_left_out(text: Text, tmp_path: Path) -> None:
    cut = ("--sample-break-mode", "eos", "--tokens-per-sample", "40", "--criterion", "masked_lm")
    run = train(text, TASK, tmp_path, *cut, *QUICK, max_epoch=1)
    fit = [i for i, line in enumerate(text.lines("train")) if len(line) + 2 <= 40]
    assert 0 < len(fit) < len(text.lines("train"))
    assert sorted(found(run.fed, "src_tokens")) == fit


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (tuple(DELETE), "'compose@1' says what a decoder.*--task maskplug_denoising"),
        (("--masking-args", '{"rate": 2}'), "'rate' is 2.*from 0 to 1"),
        (("--masking-sentinels", "-1"), "--masking-sentinels is -1"),
        (("--masking-symbol", "<mask2>"), "'<mask2>' is not one of.*<mask>"),
    ],
)
def test_wrong_options(text: Text, flags: tuple[str, ...], message: str) -> None:
    with pytest.raises(MaskplugError, match=message):
        task_of(text, TASK, *CUT, *flags)


def test_weights_and_layers_are_refused(text: Text) -> None:
    task = task_of(text, TASK, *CUT)
    plain = task.masking_strategy.try_out(task.masking_vocabularies["source"])
    task.check_result(plain)
    size = len(plain.inputs.values)
    with pytest.raises(OptionError, match="'dynamic@1' weighs its losses"):
        task.check_result(replace(plain, weights=np.ones(size)))
    with pytest.raises(OptionError, match="gives the model 'position_ids'"):
        task.check_result(replace(plain, annotations={"position_ids": np.arange(size)}))


@pytest.mark.parametrize("split", ["train", "valid"])
def test_no_strategy(text: Text, split: str) -> None:
    task = task_of(text, TASK, *CUT, "--masking-plugin", "none", "--masking-args", "{}")
    with pytest.raises(OptionError, match=r"--masking-plugin is none.*say dynamic"):
        task.load_dataset(split)


def test_no_such_split(text: Text) -> None:
    with pytest.raises(FileNotFoundError, match=r"no binarized text at .*/data-bin/dev\.bin"):
        task_of(text, TASK, *CUT).load_dataset("dev")


def test_the_plain_task_and_the_hub_load_its_checkpoints(text: Text, pretrained: Run) -> None:
    plain = MaskedLMTask.setup_task(MaskedLMConfig(data=text.data))
    paths = [str(pretrained.folder / "checkpoint_last.pt")]
    models, _ = checkpoint_utils.load_model_ensemble(paths, task=plain)
    assert models[0].encoder.sentence_encoder.embed_tokens.num_embeddings == plain.mask_idx + 1
    hub = RobertaModel.from_pretrained(
        str(pretrained.folder), "checkpoint_last.pt", text.data, user_dir=USER_DIR, bpe=None
    )
    assert isinstance(hub.task, MaskplugMaskedLMTask)


@pytest.mark.parametrize("mode", ["none", "eos"])
def test_it_pickles_with_its_masks(text: Text, mode: str) -> None:
    task = task_of(text, TASK, *CUT, "--sample-break-mode", mode)
    task.load_dataset("train")
    dataset = task.dataset("train")
    again = pickle.loads(pickle.dumps(dataset))
    items = [Sample(i, 3, 0) for i in range(4)]
    one, two = (
        found([Fed(1, 0, d.collater([d[i] for i in items]))], "src_tokens")
        for d in (dataset, again)
    )
    wanted = masked(rows(text, mode), text.dictionary("<mask>"), range(len(dataset)), 3, SPEC)
    assert one == two == dict(enumerate(wanted.inputs.to_lists()[:4]))


def test_an_empty_batch_stays_empty(text: Text) -> None:
    task = task_of(text, TASK, *CUT)
    task.load_dataset("train")
    assert task.dataset("train").collater([]) == {}


def test_a_batch_is_the_same_whether_loaded_together_or_item_by_item(text: Text) -> None:
    task = task_of(text, TASK, *CUT, "--sample-break-mode", "complete")
    task.load_dataset("train")
    dataset = task.dataset("train")
    dataset.set_epoch(4)
    mixed = [3, Sample(0, 7, 2), 5]
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
    moments = [dataset[index]["moment"] for index in mixed]
    assert moments == [(3, 0), (7, 2), (3, 0)]
    assert [item["moment"] for item in dataset.__getitems__(timed)] == [(2, 9), (2, 9)]


def test_a_rank_without_a_batch_gets_an_empty_one(text: Text) -> None:
    task = task_of(text, TASK, *CUT, "--sample-break-mode", "complete")
    task.load_dataset("train")
    dataset = task.dataset("train")
    shards = len(dataset) - 1  # one batch a row: all but the last ranks have two
    iterator = task.get_batch_iterator(
        dataset, max_sentences=1, num_shards=shards, shard_id=shards - 1
    )
    assert list(iterator.next_epoch_itr())[1:] == [{}]
