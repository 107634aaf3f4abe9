"""Rows that are longer than a run allows: left out of training, refused in validation."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskplug.errors import MaskplugWarning, TokenError
from support import texts
from support.fairseq_runs import DELETE, Corpus, task_of, train

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
def test_rows_left_out_are_counted_and_named(corpus: Corpus, split: str) -> None:
    task = task_of(corpus)
    sizes = lengths(task, split)
    limit = int(np.median(sizes))
    too_long = int((sizes > limit).sum())
    with pytest.warns(MaskplugWarning, match=f"{split}: {too_long} of {len(sizes)} rows.*left out"):
        read = batches(task, split, limit, skip=True)
    assert sum(len(batch["id"]) for batch in read) == len(sizes) - too_long
    with pytest.raises(TokenError, match=f"^{split}: {too_long} of {len(sizes)} rows.*{FLAG}$"):
        batches(task, split, limit, skip=False)


def test_no_row_that_fits_is_an_error(corpus: Corpus) -> None:
    for skip in (True, False):
        with pytest.raises(TokenError, match="none is left"):
            batches(task_of(corpus), "train", 2, skip)


def test_rows_that_fit_need_no_message(corpus: Corpus) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", MaskplugWarning)
        batches(task_of(corpus), "train", 1024, skip=False)


@pytest.mark.parametrize("task", ["maskplug_masked_lm", "maskplug_denoising"])
def test_tasks_on_blocks(text: texts.Text, task: str) -> None:
    masking = DELETE if task == "maskplug_denoising" else []
    loaded = texts.task_of(text, task, "--sample-break-mode", "eos", *masking)
    limit = int(np.median(lengths(loaded, "valid")))
    with pytest.raises(TokenError, match=rf"^valid: \d+ of .*{FLAG}$"):
        batches(loaded, "valid", limit, skip=False)


def test_training_goes_on_and_validation_stops_unless_told(corpus: Corpus, tmp_path: Path) -> None:
    limit = ("--max-source-positions", "40", "--no-save")
    with pytest.warns(MaskplugWarning, match="train: "), pytest.raises(TokenError, match=r"^valid"):
        train(corpus, tmp_path, *limit, max_epoch=1)
    with pytest.warns(MaskplugWarning, match="valid: .* left out"):
        train(corpus, tmp_path, *limit, FLAG, max_epoch=1)
