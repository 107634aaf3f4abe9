"""Rows longer than the limit are skipped in training and refused in validation."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskplug.errors import MaskplugWarning, TokenError
from support.fairseq_data import Corpus, Text
from support.fairseq_runs import DELETE, rows_by_id, task_of, train

FLAG = "--skip-invalid-size-inputs-valid-test"


def batches(task: Any, split: str, limit: int, skip: bool) -> list[Any]:
    task.load_dataset(split)
    iterator = task.get_batch_iterator(
        task.dataset(split), max_positions=(limit, 1024), ignore_invalid_inputs=skip, max_tokens=999
    )
    return list(iterator.next_epoch_itr())


def lengths(task: Any, split: str) -> np.ndarray[Any, Any]:
    task.load_dataset(split)
    dataset = task.dataset(split)
    sizes = [dataset.size(i) for i in range(len(dataset))]
    return np.array([size[0] if isinstance(size, tuple) else size for size in sizes])


@pytest.mark.parametrize("split", ["train", "valid"])
def test_the_warning_counts_skipped_rows(corpus: Corpus, split: str) -> None:
    task = task_of(corpus)
    sizes = lengths(task, split)
    limit = int(np.median(sizes))
    too_long = int((sizes > limit).sum())
    with pytest.warns(MaskplugWarning, match=f"{split}: {too_long} of {len(sizes)} rows.*skipped"):
        fitting = batches(task, split, limit, skip=True)
    assert sum(len(batch["id"]) for batch in fitting) == len(sizes) - too_long
    with pytest.raises(TokenError, match=f"^{split}: {too_long} of {len(sizes)} rows.*{FLAG}$"):
        batches(task, split, limit, skip=False)


def test_all_rows_or_none_fit(corpus: Corpus) -> None:
    task = task_of(corpus)
    for skip in (True, False):
        with pytest.raises(TokenError, match="none is left"):
            batches(task, "train", 2, skip)
    with warnings.catch_warnings():
        warnings.simplefilter("error", MaskplugWarning)
        batches(task, "train", 1024, skip=False)


@pytest.mark.parametrize("task", ["maskplug_masked_lm", "maskplug_denoising"])
def test_text_tasks(text: Text, task: str) -> None:
    masking = DELETE if task == "maskplug_denoising" else []
    loaded = task_of(text, "--sample-break-mode", "eos", *masking, task=task)
    limit = int(np.median(lengths(loaded, "valid")))
    with pytest.raises(TokenError, match=rf"^valid: \d+ of .*{FLAG}$"):
        batches(loaded, "valid", limit, skip=False)


def test_training_skips_rows_and_validation_fails_by_default(
    corpus: Corpus, tmp_path: Path
) -> None:
    limit = ("--max-source-positions", "40", "--no-save")
    with pytest.warns(MaskplugWarning, match="train: "), pytest.raises(TokenError, match=r"^valid"):
        train(corpus, tmp_path, *limit, max_epoch=1)
    with pytest.warns(MaskplugWarning, match="valid: .* skipped"):
        train(corpus, tmp_path, *limit, FLAG, max_epoch=1)


def test_lines_longer_than_a_row_are_skipped(text: Text, tmp_path: Path) -> None:
    flags = ("--sample-break-mode", "eos", "--tokens-per-sample", "40", "--criterion", "masked_lm")
    more = {"task": "maskplug_masked_lm", "max_epoch": 1}
    run = train(text, tmp_path, *flags, "--no-save", "--disable-validation", **more)
    fitting = [i for i, line in enumerate(text.lines("train")) if len(line) + 2 <= 40]
    assert 0 < len(fitting) < len(text.lines("train"))
    assert sorted(rows_by_id(run.batches)) == fitting
