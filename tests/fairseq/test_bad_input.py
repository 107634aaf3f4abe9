"""Wrong options and too long rows: messages have the problem, value and choices."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskplug.errors import MaskplugError, MaskplugWarning, OptionError, TokenError
from support.fairseq_data import Corpus, Text
from support.fairseq_runs import DELETE, NO_MASKS, rows_by_id, task_of, train

CASES = {
    "strategy": (("--masking-plugin", "dynamik"), "'dynamik'.*did you mean 'dynamic'"),
    "version": (("--masking-plugin", "dynamic@9"), "'dynamic' has no version 9.*dynamic@1"),
    "option": (("--masking-args", '{"rat": 0.2}'), "no option 'rat'.*did you mean 'rate'"),
    "type": (("--masking-args", '{"mask": "much"}'), "'mask' is 'much'; it must be a number"),
    "range": (("--masking-args", '{"rate": 1.2}'), "1.2.*from 0 to 1"),
    "nan": (("--masking-args", '{"rate": NaN}'), "nan.*from 0 to 1"),
    "json": (("--masking-args", '{"rate" 0.2}'), "--masking-args is not valid JSON"),
    "no object": (("--masking-args", "[0.2]"), "must be a JSON object"),
    "seed": (("--masking-seed", "-1"), "seed is -1.*from 0 to"),
    "symbol": (("--masking-symbol", "<mask>"), "'<mask>'.*madeupword0000, <unk>.*'add'"),
    "no symbol": (("--masking-symbol", "w1"), "'w1'.*madeupword0000, <unk>"),
}
TEXT_CASES = [
    ("masked_lm", DELETE, "'compose@1' has targets for a decoder.*--task maskplug_denoising"),
    ("masked_lm", ["--masking-args", '{"rate": 2}'], "'rate' is 2.*from 0 to 1"),
    ("masked_lm", ["--masking-sentinels", "-1"], "--masking-sentinels is -1"),
    ("masked_lm", ["--masking-symbol", "<mask2>"], "'<mask2>' is not one of.*<mask>"),
    ("denoising", [], "'dynamic@1' predicts in place.*--task maskplug_masked_lm"),
    ("denoising", ["--add-lang-token"], "--add-lang-token needs --langs"),
    ("denoising", ["--multilang-sampling-alpha", "1.5"], "--multilang-sampling-alpha is 1.5.*0.*1"),
]


@pytest.mark.parametrize("case", CASES)
def test_options_of_translation(corpus: Corpus, case: str) -> None:
    flags, message = CASES[case]
    with pytest.raises(MaskplugError, match=message):
        task_of(corpus, *flags)


@pytest.mark.parametrize(("task", "flags", "message"), TEXT_CASES)
def test_options_of_text_tasks(text: Text, task: str, flags: list[str], message: str) -> None:
    with pytest.raises(MaskplugError, match=message):
        task_of(text, *flags, task=f"maskplug_{task}")


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ("maskplug_masked_lm", r"--masking-plugin is none.*for example dynamic"),
        ("maskplug_denoising", r"--masking-plugin is none.*strategy with targets"),
    ],
)
def test_text_tasks_need_a_strategy(text: Text, task: str, message: str) -> None:
    for split in ("train", "valid"):
        with pytest.raises(OptionError, match=message):
            task_of(text, *NO_MASKS, task=task).load_dataset(split)


def test_a_missing_split(text: Text) -> None:
    with pytest.raises(FileNotFoundError, match=r"no binarized text at .*/data-bin/dev\.bin"):
        task_of(text, task="maskplug_masked_lm").load_dataset("dev")


def test_an_unknown_side(corpus: Corpus, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        task_of(corpus, "--masking-side", "middle")
    assert "invalid choice: 'middle'" in capsys.readouterr().err


def test_a_schedule_without_max_epoch(corpus: Corpus, tmp_path: Path) -> None:
    rate = '{"rate": {"name": "linear", "start": 0.3, "end": 0.1}}'
    flags = ("--masking-args", rate, "--max-update", "10")
    with pytest.raises(MaskplugError, match="--max-epoch is 0"):
        train(corpus, tmp_path, *flags, max_epoch=0)
    assert not list(tmp_path.iterdir())


def test_several_data_folders(corpus: Corpus) -> None:
    task = task_of(corpus, "--masking-args", '{"clock": "step"}')
    task.cfg.data = f"{corpus.data}:{corpus.data}"
    with pytest.raises(MaskplugError, match=r"Step\(\).*epoch, cycle"):
        task.load_dataset("train")
    task = task_of(corpus)
    task.cfg.data = f"{corpus.data}:{corpus.data}"
    task.load_dataset("train", epoch=2)
    assert len(task.dataset("train")) == 64


# --- rows longer than the limit ------------------------------------------------------------------

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
