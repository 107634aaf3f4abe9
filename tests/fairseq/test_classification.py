"""maskplug_classification: the inputs are masked in training, labels and separators never."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from maskplug.errors import SpecMismatchError
from support import texts
from support.fairseq_runs import DELETE, DELETED, QUICK, Run
from support.texts import BOS, EOS, LINES, Labelled, Text, found, masked, train, validated, weights

TASK = "maskplug_classification"
SPEC = ("dynamic", {"rate": 0.3})
#: The separator is a word of the text, to see that it stays.
HEAD = [
    *("--criterion", "sentence_prediction", "--num-classes", "2", "--init-token", "0"),
    *("--separator-token", "7", "--max-positions", "200"),
]


@pytest.fixture(scope="module")
def labelled(text: Text, tmp_path_factory: pytest.TempPathFactory) -> Labelled:
    return texts.make_labelled(tmp_path_factory.mktemp("labelled"), text)


@pytest.fixture(scope="module")
def trained(labelled: Labelled, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two epochs with two workers, and a checkpoint every 4 updates."""
    folder = tmp_path_factory.mktemp("classifier")
    flags = ("--num-workers", "2", "--save-interval-updates", "4")
    return train(labelled, TASK, folder, *HEAD, *flags)


def rows(labelled: Labelled, split: str = "train") -> list[list[int]]:
    both = (labelled.text.lines(split, language) for language in ("de", "en"))
    return [[BOS, *a, EOS, 7, *b, EOS] for a, b in zip(*both, strict=True)]


def expected(labelled: Labelled, epoch: int, spec: Any = SPEC) -> dict[int, list[int]]:
    """What the core makes of the training rows at an epoch counted from 1."""
    given = rows(labelled)
    made = masked(
        given, labelled.text.dictionary("<mask>"), range(len(given)), epoch - 1, spec, special=[7]
    )
    return dict(enumerate(made.inputs.to_lists()))


def assert_masks(labelled: Labelled, run: Run, epochs: tuple[int, ...] = (1, 2)) -> None:
    labels = [texts.LABELS.index(label) for label in labelled.labels("train")]
    order = label_order(labelled)
    for epoch in epochs:
        batches = [batch for batch in run.fed if batch.epoch == epoch]
        assert found(batches, "src_tokens") == expected(labelled, epoch)
        for batch in batches:
            sample = batch.sample
            lengths = sample["net_input"]["src_tokens"].ne(1).sum(1)
            assert sample["net_input"]["src_lengths"].tolist() == lengths.tolist()
            assert (sample["ntokens"], sample["nsentences"]) == (lengths.sum(), len(lengths))
            wanted = [order[labels[i]] for i in sample["id"]]
            assert sample["target"].flatten().tolist() == wanted


def label_order(labelled: Labelled) -> list[int]:
    """The class of each label: its place in the label dictionary, behind the special symbols."""
    lines = (labelled.folder / "label" / "dict.txt").read_text().splitlines()
    place = {line.split()[0]: i for i, line in enumerate(lines)}
    return [place[label] for label in texts.LABELS]


def test_two_workers(labelled: Labelled, trained: Run) -> None:
    assert_masks(labelled, trained)
    first, second = (expected(labelled, epoch) for epoch in (1, 2))
    assert sum(first[i] != second[i] for i in first) > 0.9 * len(first)


def test_separators_stay(labelled: Labelled, trained: Run) -> None:
    given = rows(labelled)
    for batch in trained.fed:
        for i, row in batch.rows("src_tokens").items():
            assert [j for j, x in enumerate(row) if x == 7] == [
                j for j, x in enumerate(given[i]) if x == 7
            ]


@pytest.mark.parametrize("workers", ["0", "1"])
def test_resumed_in_the_middle_of_an_epoch(
    labelled: Labelled, trained: Run, tmp_path: Path, workers: str
) -> None:
    shutil.copy(trained.folder / "checkpoint_1_4.pt", tmp_path / "checkpoint_last.pt")
    flags = (*HEAD, "--num-workers", workers, "--disable-validation")
    run = train(labelled, TASK, tmp_path, *flags)
    assert [batch.update for batch in run.fed] == [b.update for b in trained.fed[4:]]
    for now, then in zip(run.fed, trained.fed[4:], strict=True):
        assert now.rows("src_tokens") == then.rows("src_tokens")
    whole = weights(trained.folder)
    assert all(torch.equal(value, whole[name]) for name, value in weights(tmp_path).items())
    with pytest.raises(SpecMismatchError, match=r"other: seed\)"):
        train(labelled, TASK, tmp_path, *flags, "--masking-seed", "8", max_epoch=3)


def test_validation_is_clean_and_reports_accuracy(
    labelled: Labelled, trained: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    clean = dict(enumerate(rows(labelled, "valid")))
    batches = -(-len(clean) // 4)
    for epoch in (1, 2):
        at_end = [batch for batch in trained.checked if batch.epoch == epoch][-batches:]
        assert found(at_end, "src_tokens") == clean
    run = validated(trained.folder, labelled.data, TASK, *HEAD[:2])
    assert found(run.checked, "src_tokens") == clean
    assert re.search(r"valid on 'valid' subset .* accuracy \d", capsys.readouterr().out)


def test_sources_that_get_shorter(labelled: Labelled, tmp_path: Path) -> None:
    run = train(labelled, TASK, tmp_path, *HEAD, *DELETE, *QUICK, "--num-workers", "1", max_epoch=1)
    assert found(run.fed, "src_tokens") == expected(labelled, 1, ("compose", DELETED))
    for batch in run.fed:
        lengths = batch.sample["net_input"]["src_tokens"].ne(1).sum(1)
        assert batch.sample["net_input"]["src_lengths"].tolist() == lengths.tolist()
        assert batch.sample["ntokens"] == lengths.sum()


def test_single_sentences_by_words(text: Text, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    single = texts.make_labelled(tmp_path / "data", text, inputs=1)
    spec = ("word_dropout", {"rate": 0.3})
    flags = ["--masking-plugin", spec[0], "--masking-args", json.dumps(spec[1]), *QUICK]
    run = train(single, TASK, tmp_path / "run", *HEAD[:6], *flags, max_epoch=1)
    given = [[BOS, *line, EOS] for line in text.lines("train")]
    wanted = masked(given, text.dictionary("<mask>"), range(len(given)), 0, spec)
    assert found(run.fed, "src_tokens") == dict(enumerate(wanted.inputs.to_lists()))
    assert len(given) == LINES["train"] + 1


def test_from_a_pretrained_masked_lm(text: Text, labelled: Labelled, tmp_path: Path) -> None:
    cut = ("--tokens-per-sample", "200", "--sample-break-mode", "eos", "--criterion", "masked_lm")
    train(text, "maskplug_masked_lm", tmp_path / "lm", *cut, "--disable-validation", max_epoch=1)
    start = ("--restore-file", str(tmp_path / "lm" / "checkpoint_last.pt"))
    resets = ("--reset-optimizer", "--reset-dataloader", "--reset-meters")
    flags = (*HEAD, *start, *resets, "--lr", "0", "--disable-validation")
    run = train(labelled, TASK, tmp_path / "classifier", *flags, "--masking-seed", "7")
    assert_masks(labelled, run)
    before, after = weights(tmp_path / "lm"), weights(tmp_path / "classifier")
    shared = [name for name in before if "lm_head" not in name and "version" not in name]
    assert shared
    assert all(torch.equal(before[name], after[name]) for name in shared)
