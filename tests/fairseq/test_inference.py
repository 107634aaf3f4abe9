"""Whatever reads a checkpoint reads ours, with torch's safe loader on, and sees clean sources."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from fairseq import checkpoint_utils, options
from fairseq.dataclass.utils import convert_namespace_to_omegaconf
from fairseq.models.transformer import TransformerModel
from fairseq_cli import generate, interactive, validate

from maskplug_fairseq import MaskplugTranslationTask
from support.fairseq_runs import QUICK, USER_DIR, Corpus, Run, train

TASKS = ["maskplug_translation", "translation"]


@pytest.fixture(autouse=True)
def safe_loader(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Every torch.load of the test, asserted to be a safe one."""
    calls: list[Any] = []
    load = torch.load

    def noted(*args: Any, **kwargs: Any) -> Any:
        calls.append(kwargs.get("weights_only"))
        return load(*args, **kwargs)

    monkeypatch.setattr(torch, "load", noted)
    monkeypatch.delenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", raising=False)
    yield calls
    assert calls
    assert False not in calls


def generation(corpus: Corpus, folder: Path, task: str, *flags: str) -> list[str]:
    where = ["--path", str(folder / "checkpoint_last.pt"), "--user-dir", USER_DIR, "--cpu"]
    size = ["--batch-size", "5", "--required-batch-size-multiple", "1", "--beam", "2"]
    return [
        corpus.data,
        "--task",
        task,
        *where,
        *size,
        "--max-len-b",
        "5",
        "--num-workers",
        "0",
        *flags,
    ]


def generated(flags: list[str]) -> None:
    generate.main(options.parse_args_and_arch(options.get_generation_parser(), flags))


def hypotheses(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("H-")]


@pytest.mark.parametrize("task", TASKS)
def test_generate(corpus: Corpus, trained: Run, tmp_path: Path, task: str) -> None:
    flags = generation(corpus, trained.folder, task, "--results-path", str(tmp_path))
    generated(flags)
    written = (tmp_path / "generate-test.txt").read_text()
    assert len(hypotheses(written)) == 10
    lines = (corpus.folder / "test.de").read_text().splitlines()
    for i, line in enumerate(lines):
        assert f"S-{i}\t{line}" in written  # the sources are clean


def test_generate_on_the_training_split_sees_clean_sources(
    corpus: Corpus, trained: Run, tmp_path: Path
) -> None:
    masking = ("--masking-plugin", "dynamic", "--masking-args", '{"rate": 0.9}')
    where = ("--results-path", str(tmp_path), "--gen-subset", "train", *masking)
    flags = generation(corpus, trained.folder, "maskplug_translation", *where)
    generated(flags)
    line = (corpus.folder / "train.de").read_text().splitlines()[0]
    assert f"S-0\t{line}" in (tmp_path / "generate-train.txt").read_text()


@pytest.mark.parametrize("task", TASKS)
def test_interactive(
    corpus: Corpus,
    trained: Run,
    task: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    flags = generation(corpus, trained.folder, task, "--source-lang", "de", "--target-lang", "en")
    args = options.parse_args_and_arch(
        options.get_interactive_generation_parser(), [*flags, "--buffer-size", "5"]
    )
    monkeypatch.setattr("sys.stdin", io.StringIO("▁w1 e1 ▁w2\n▁w3\n"))
    interactive.main(convert_namespace_to_omegaconf(args))
    assert len(hypotheses(capsys.readouterr().out)) == 2


def validated(corpus: Corpus, folder: Path, subset: str) -> Any:
    where = ["--path", str(folder / "checkpoint_last.pt"), "--user-dir", USER_DIR, "--cpu"]
    flags = [corpus.data, *where, "--task", "maskplug_translation", "--batch-size", "4"]
    flags += ["--required-batch-size-multiple", "1", "--num-workers", "0"]
    parser = options.get_validation_parser()
    args = options.parse_args_and_arch(parser, [*flags, "--valid-subset", subset])
    validate.main(convert_namespace_to_omegaconf(args))


@pytest.mark.parametrize("subset", ["valid", "train"])
def test_validate_on_clean_text(
    corpus: Corpus, trained: Run, subset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: dict[int, list[int]] = {}
    valid_step = MaskplugTranslationTask.valid_step

    def noted(self: Any, sample: Any, *args: Any) -> Any:
        for i, row in zip(sample["id"], sample["net_input"]["src_tokens"].tolist(), strict=True):
            found[int(i)] = [x for x in row if x != 1]
        return valid_step(self, sample, *args)

    monkeypatch.setattr(MaskplugTranslationTask, "valid_step", noted)
    validated(corpus, trained.folder, subset)
    assert found == dict(enumerate(corpus.rows("source", subset)))


def test_from_pretrained(corpus: Corpus, trained: Run) -> None:
    hub = TransformerModel.from_pretrained(
        str(trained.folder), "checkpoint_last.pt", corpus.data, user_dir=USER_DIR
    )
    assert isinstance(hub.task, MaskplugTranslationTask)
    assert isinstance(hub.translate("▁w1 e1", beam=1, max_len_b=3), str)


def test_a_model_outlives_the_plugin_that_it_was_trained_with(corpus: Corpus, trained: Run) -> None:
    overrides = {"masking_plugin": "gone", "masking_args": '{"x": 1}', "data": corpus.data}
    paths = [str(trained.folder / "checkpoint_last.pt")]
    _, _, task = checkpoint_utils.load_model_ensemble_and_task(paths, arg_overrides=overrides)
    task.load_dataset("valid")
    assert len(task.dataset("valid")) == 12


def test_an_added_symbol_comes_back_with_the_checkpoint(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = train(corpus, tmp_path, "--masking-symbol", "add", max_epoch=1)
    size = len(corpus.dictionary("source"))
    assert run.seen(1) == dict(enumerate(corpus.expected("source", 0, symbol="add")))
    assert size in [x for row in run.seen(1).values() for x in row]

    again = train(corpus, tmp_path, "--masking-symbol", "add", *QUICK, max_epoch=2)
    assert again.seen(2) == dict(enumerate(corpus.expected("source", 1, symbol="add")))

    flags = ("--results-path", str(tmp_path))
    generated(generation(corpus, tmp_path, "maskplug_translation", *flags))  # the symbol unsaid
    assert len(hypotheses((tmp_path / "generate-test.txt").read_text())) == 10
    hub = TransformerModel.from_pretrained(str(tmp_path), "checkpoint_last.pt", corpus.data)
    assert len(hub.src_dict) == len(hub.tgt_dict) == size + 1
    with pytest.raises(RuntimeError, match="size mismatch"):
        generated(generation(corpus, tmp_path, "translation"))


def test_bleu_and_accuracy_leave_numbers_that_load(corpus: Corpus, tmp_path: Path) -> None:
    bleu = (
        "--eval-bleu",
        "--eval-bleu-args",
        '{"beam": 1, "max_len_b": 3}',
        "--best-checkpoint-metric",
        "bleu",
    )
    criterion = ("--criterion", "label_smoothed_cross_entropy", "--report-accuracy")
    flags = (*bleu, *criterion, "--save-interval-updates", "4", "--batch-size", "16")
    train(corpus, tmp_path, *flags, max_epoch=1)
    run = train(corpus, tmp_path, *flags, max_epoch=2)
    assert {batch.epoch for batch in run.fed} == {2}
