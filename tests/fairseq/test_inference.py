"""Inference commands load checkpoints with torch's safe loader and see unmasked sources."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from fairseq import checkpoint_utils
from fairseq.models.transformer import TransformerModel

from maskplug_fairseq import MaskplugTranslationTask
from support.fairseq_data import SIZES, Corpus
from support.fairseq_runs import (
    QUICK,
    USER_DIR,
    Run,
    generate,
    interact,
    rows_by_id,
    train,
    validate,
)

OURS = "maskplug_translation"


@pytest.fixture(autouse=True)
def _safe_loader(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Check that every ``torch.load`` of a test is safe."""
    calls: list[Any] = []
    load = torch.load

    def recorded(*args: Any, **kwargs: Any) -> Any:
        calls.append(kwargs.get("weights_only"))
        return load(*args, **kwargs)

    monkeypatch.setattr(torch, "load", recorded)
    monkeypatch.delenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", raising=False)
    yield
    assert calls
    assert False not in calls


@pytest.mark.parametrize("task", [OURS, "translation"])
def test_generate_and_interactive(corpus: Corpus, trained: Run, tmp_path: Path, task: str) -> None:
    output = generate(corpus, trained.folder, task, tmp_path)
    assert len(output["H"]) == SIZES["test"]
    lines = (corpus.folder / "test.de").read_text()
    assert output["S"] == dict(enumerate(lines.splitlines()))
    languages = ("--source-lang", "de", "--target-lang", "en")
    typed = interact(corpus, trained.folder, task, lines, *languages)
    assert typed["H"] == output["H"]


def test_generate_from_the_training_split(corpus: Corpus, trained: Run, tmp_path: Path) -> None:
    masking = ("--masking-plugin", "dynamic", "--masking-args", '{"rate": 0.9}')
    output = generate(corpus, trained.folder, OURS, tmp_path, *masking, subset="train")
    lines = (corpus.folder / "train.de").read_text().splitlines()
    assert output["S"] == dict(enumerate(lines))


@pytest.mark.parametrize("subset", ["valid", "train"])
def test_validate(corpus: Corpus, trained: Run, subset: str) -> None:
    run = validate(corpus, trained.folder, OURS, subset=subset)
    assert rows_by_id(run.valid_batches) == dict(enumerate(corpus.rows("source", subset)))


def test_from_pretrained(corpus: Corpus, trained: Run) -> None:
    hub = TransformerModel.from_pretrained(
        str(trained.folder), "checkpoint_last.pt", corpus.data, user_dir=USER_DIR
    )
    assert isinstance(hub.task, MaskplugTranslationTask)
    assert isinstance(hub.translate("▁w1 e1", beam=1, max_len_b=3), str)


def test_a_model_loads_without_the_plugin_of_its_training(corpus: Corpus, trained: Run) -> None:
    overrides = {"masking_plugin": "gone", "masking_args": '{"x": 1}', "data": corpus.data}
    paths = [str(trained.folder / "checkpoint_last.pt")]
    _, _, task = checkpoint_utils.load_model_ensemble_and_task(paths, arg_overrides=overrides)
    task.load_dataset("valid")
    assert len(task.dataset("valid")) == SIZES["valid"]


def test_checkpoints_restore_an_added_mask_symbol(corpus: Corpus, tmp_path: Path) -> None:
    add = ("--masking-symbol", "add")
    run = train(corpus, tmp_path, *add, max_epoch=1)
    size = len(corpus.dictionary("source"))
    assert run.rows(1) == corpus.expected("source", 0, symbol="add")
    assert size in [x for row in run.rows(1).values() for x in row]
    again = train(corpus, tmp_path, *add, *QUICK, max_epoch=2)
    assert again.rows(2) == corpus.expected("source", 1, symbol="add")
    # without the option
    assert len(generate(corpus, tmp_path, OURS, tmp_path)["H"]) == SIZES["test"]
    hub = TransformerModel.from_pretrained(str(tmp_path), "checkpoint_last.pt", corpus.data)
    assert len(hub.src_dict) == len(hub.tgt_dict) == size + 1
    with pytest.raises(RuntimeError, match="size mismatch"):
        generate(corpus, tmp_path, "translation", tmp_path)


def test_checkpoints_with_bleu_and_accuracy_load(corpus: Corpus, tmp_path: Path) -> None:
    bleu = ("--eval-bleu", "--eval-bleu-args", '{"beam": 1, "max_len_b": 3}')
    criterion = ("--criterion", "label_smoothed_cross_entropy", "--report-accuracy")
    saves = ("--best-checkpoint-metric", "bleu", "--save-interval-updates", "4")
    flags = (*bleu, *criterion, *saves, "--batch-size", "16")
    train(corpus, tmp_path, *flags, max_epoch=1)
    run = train(corpus, tmp_path, *flags, max_epoch=2)
    assert {batch.epoch for batch in run.batches} == {2}
