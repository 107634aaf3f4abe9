"""maskplug_classification: inputs are masked in training, labels and separators never."""

from __future__ import annotations

import json
import re
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from maskplug.errors import SpecMismatchError
from support import fairseq_runs
from support.fairseq_data import BOS, EOS, LABELS, LINES, Labelled, Text, mask_rows
from support.fairseq_runs import (
    DELETE,
    DELETED,
    QUICK,
    Batch,
    Run,
    assert_resumed,
    rows_by_id,
    validate,
    weights,
)

TASK = "maskplug_classification"
SPEC = ("dynamic", {"rate": 0.3})
HEAD = ["--criterion", "sentence_prediction", "--num-classes", "2", "--init-token", "0"]
#: The separator is a word of the text.
PAIRS = [*HEAD, "--separator-token", "7", "--max-positions", "200"]
train = partial(fairseq_runs.train, task=TASK)


@pytest.fixture(scope="module")
def classifier(labelled: Labelled, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two epochs with two workers; a checkpoint every 4 updates."""
    flags = ("--num-workers", "2", "--save-interval-updates", "4")
    return train(labelled, tmp_path_factory.mktemp("classifier"), *PAIRS, *flags)


def rows(labelled: Labelled, split: str = "train") -> list[list[int]]:
    texts = (labelled.text.lines(split, language) for language in ("de", "en"))
    return [[BOS, *a, EOS, 7, *b, EOS] for a, b in zip(*texts, strict=True)]


def expected(labelled: Labelled, epoch: int, spec: Any = SPEC) -> dict[int, list[int]]:
    """Return the core's masked training rows at an epoch counted from 1."""
    unmasked, words = rows(labelled), labelled.text.dictionary("<mask>")
    masked = mask_rows(unmasked, words, range(len(unmasked)), epoch - 1, spec, special=[7])
    return dict(enumerate(masked.inputs.to_lists()))


def assert_lengths(batch: Batch) -> None:
    sample = batch.sample
    lengths = sample["net_input"]["src_tokens"].ne(1).sum(1)
    assert sample["net_input"]["src_lengths"].tolist() == lengths.tolist()
    assert (sample["ntokens"], sample["nsentences"]) == (lengths.sum(), len(lengths))


def assert_masks(labelled: Labelled, run: Run) -> None:
    lines = (labelled.folder / "label" / "dict.txt").read_text().splitlines()
    order = [[line.split()[0] for line in lines].index(label) for label in LABELS]
    classes = [order[LABELS.index(label)] for label in labelled.labels("train")]
    for epoch in (1, 2):
        assert run.rows(epoch) == expected(labelled, epoch)
        for batch in run.epoch(epoch):
            assert_lengths(batch)
            targets = batch.sample["target"].flatten().tolist()
            assert targets == [classes[i] for i in batch.sample["id"]]


def test_two_workers(labelled: Labelled, classifier: Run) -> None:
    assert_masks(labelled, classifier)
    first, second = classifier.rows(1), classifier.rows(2)
    assert sum(first[i] != second[i] for i in first) > 0.9 * len(first)
    unmasked = rows(labelled)
    for batch in classifier.batches:
        for i, row in batch.rows().items():  # separators stay
            assert [x == 7 for x in row] == [x == 7 for x in unmasked[i]]


@pytest.mark.parametrize("workers", ["0", pytest.param("1", marks=pytest.mark.slow)])
def test_resume_in_the_middle_of_an_epoch(
    labelled: Labelled, classifier: Run, tmp_path: Path, workers: str
) -> None:
    shutil.copy(classifier.folder / "checkpoint_1_4.pt", tmp_path / "checkpoint_last.pt")
    flags = (*PAIRS, "--num-workers", workers, "--disable-validation")
    assert_resumed(train(labelled, tmp_path, *flags), classifier, 4)
    with pytest.raises(SpecMismatchError, match=r"other: seed\)"):
        train(labelled, tmp_path, *flags, "--masking-seed", "8", max_epoch=3)


def test_validation_is_unmasked_and_reports_accuracy(
    labelled: Labelled, classifier: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    unmasked = dict(enumerate(rows(labelled, "valid")))
    batches = -(-len(unmasked) // 4)
    for epoch in (1, 2):
        last = [batch for batch in classifier.valid_batches if batch.epoch == epoch][-batches:]
        assert rows_by_id(last) == unmasked
    run = validate(labelled, classifier.folder, TASK, *HEAD[:2])
    assert rows_by_id(run.valid_batches) == unmasked
    assert re.search(r"valid on 'valid' subset .* accuracy \d", capsys.readouterr().out)


def test_sources_get_shorter(labelled: Labelled, tmp_path: Path) -> None:
    run = train(labelled, tmp_path, *PAIRS, *DELETE, *QUICK, "--num-workers", "1", max_epoch=1)
    assert run.rows(1) == expected(labelled, 1, ("compose", DELETED))
    for batch in run.batches:
        assert_lengths(batch)


def test_single_sentences_with_word_dropout(text: Text, single: Labelled, tmp_path: Path) -> None:
    spec = ("word_dropout", {"rate": 0.3})
    flags = ["--masking-plugin", spec[0], "--masking-args", json.dumps(spec[1]), *QUICK]
    run = train(single, tmp_path, *HEAD, *flags, max_epoch=1)
    unmasked = [[BOS, *line, EOS] for line in text.lines("train")]
    masked = mask_rows(unmasked, text.dictionary("<mask>"), range(len(unmasked)), 0, spec)
    assert run.rows(1) == dict(enumerate(masked.inputs.to_lists()))
    assert len(unmasked) == LINES["train"] + 1


def test_training_starts_from_a_masked_lm(text: Text, labelled: Labelled, tmp_path: Path) -> None:
    lm = ("--tokens-per-sample", "200", "--sample-break-mode", "eos", "--criterion", "masked_lm")
    task = "maskplug_masked_lm"
    train(text, tmp_path / "lm", *lm, "--disable-validation", task=task, max_epoch=1)
    start = ("--restore-file", str(tmp_path / "lm" / "checkpoint_last.pt"))
    resets = ("--reset-optimizer", "--reset-dataloader", "--reset-meters")
    flags = (*PAIRS, *start, *resets, "--lr", "0", "--disable-validation")
    run = train(labelled, tmp_path / "classifier", *flags)
    assert_masks(labelled, run)
    before, after = weights(tmp_path / "lm"), weights(tmp_path / "classifier")
    shared = [name for name in before if "lm_head" not in name and "version" not in name]
    assert shared
    assert all(torch.equal(before[name], after[name]) for name in shared)
