"""Tiny texts without a translation, fairseq's commands on them, and what must come of them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from fairseq import options, tasks
from fairseq.data import Dictionary
from fairseq_cli import preprocess, validate

import maskplug
import maskplug_fairseq
from support.fairseq_runs import (
    DECODER,
    ENCODER,
    MASKING,
    TRAINING,
    USER_DIR,
    Run,
    config,
    sentence,
    trained_by,
    watched,
)

LINES = {"train": 40, "valid": 9, "test": 7}
LANGUAGES = ("de", "en")
LABELS = ("yes", "no")
#: More than any line has.
LENGTH = 96
ROBERTA = ["--arch", "roberta", *ENCODER, *TRAINING]
BART = ["--arch", "transformer", *ENCODER, *DECODER, "--share-all-embeddings", *TRAINING]
#: Of a row's tokens, and of the dictionary's: <s>, <pad>, </s>.
BOS, PAD, EOS = 0, 1, 2


@dataclass(frozen=True)
class Text:
    """Text in one folder, and that of each language in a folder below it."""

    folder: Path

    @property
    def data(self) -> str:
        return str(self.folder / "data-bin")

    def dictionary(self, *added: str) -> Dictionary:
        made = Dictionary.load(f"{self.data}/dict.txt")
        for symbol in added:
            made.add_symbol(symbol)
        return made

    def lines(self, split: str, language: str = "de") -> list[list[int]]:
        """The ids of every line, without the end of sentence."""
        text = (self.folder / f"{split}.{language}").read_text().splitlines()
        encode = self.dictionary().encode_line
        return [encode(line, add_if_not_exist=False).tolist()[:-1] for line in text]


def make_text(folder: Path) -> Text:
    """Write two texts with empty lines in them; the first is the monolingual one, too."""
    pick = random.Random(6)
    for split, size in LINES.items():
        for language in LANGUAGES:
            lines = [sentence(pick, "▁") for _ in range(size)]
            lines.insert(3, "")
            (folder / f"{split}.{language}").write_text("\n".join(lines) + "\n")
    whole = folder / "all"
    whole.write_text("".join((folder / f"train.{name}").read_text() for name in LANGUAGES))
    binarize(whole, folder / "dict", "--dict-only")
    for language, name in (("de", "."), *((name, name) for name in LANGUAGES)):
        where = folder / "data-bin" / name
        shared = ["--srcdict", str(folder / "dict" / "dict.txt")]
        for split in LINES:
            binarize(folder / f"{split}.{language}", where, *shared, split=split)
    return Text(folder)


def binarize(text: Path, where: Path, *flags: str, split: str = "train") -> None:
    """fairseq-preprocess on one file; it can give only a training set a dictionary."""
    parser = options.get_preprocessing_parser()
    given = [f"--{split}pref", str(text), "--destdir", str(where), "--only-source", *flags]
    preprocess.main(parser.parse_args([*given, "--workers", "1"]))


def blocks(lines: list[list[Any]], mode: str, size: int) -> list[list[Any]]:
    """What fairseq's modes of cutting say, said once more: at most ``size`` tokens a row."""
    if mode == "eos":
        return lines
    if mode == "none":
        flat = [token for line in lines for token in line]
        return [flat[i : i + size] for i in range(0, len(flat), size)]
    empty = min(map(len, lines))
    rows: list[list[Any]] = [[]]
    for line in lines:
        if mode == "complete_doc" and len(line) == empty:
            rows.append([])
        elif rows[-1] and len(rows[-1]) + len(line) > size:
            rows.append(list(line))
        else:
            rows[-1].extend(line)
    return [row for row in rows if row]


def command(
    text: Text | Labelled, task: str, folder: Path, *flags: str, max_epoch: int = 2
) -> list[str]:
    """The command line of a training run; ``flags`` override."""
    models = {"maskplug_denoising": BART}
    masking = [x for k, v in MASKING.items() if k not in flags for x in (k, v)]
    size = [] if "--max-tokens" in flags else ["--batch-size", "4"]
    where = ["--save-dir", str(folder), "--user-dir", USER_DIR, "--task", task]
    epochs = ["--max-epoch", str(max_epoch)]
    return [text.data, *models.get(task, ROBERTA), *where, *masking, *size, *epochs, *flags]


def train(text: Text | Labelled, task: str, folder: Path, *flags: str, max_epoch: int = 2) -> Run:
    """fairseq-train in this process, with its real workers."""
    return trained_by(command(text, task, folder, *flags, max_epoch=max_epoch), folder)


def validated(folder: Path, data: str, task: str, *more: str, subset: str = "valid") -> Run:
    """fairseq-validate in this process."""
    where = ["--path", str(folder / "checkpoint_last.pt"), "--user-dir", USER_DIR, "--cpu"]
    flags = [data, *where, "--task", task, "--batch-size", "4", "--num-workers", "0"]
    flags += ["--required-batch-size-multiple", "1", "--valid-subset", subset, *more]
    parser = options.get_validation_parser()
    run = Run(folder)
    with watched(run):
        validate.main(options.parse_args_and_arch(parser, flags))
    return run


def task_of(text: Text, task: str, *flags: str, max_epoch: int = 0) -> Any:
    """The task of a training run, without the run."""
    cfg = config(command(text, task, text.folder, *flags, max_epoch=max_epoch))
    return tasks.setup_task(cfg.task)


def masked(
    rows: list[list[int]],
    dictionary: Dictionary,
    keys: Any,
    epoch: int,
    spec: tuple[str, dict[str, Any]],
    special: Sequence[int] = (),
    **layers: list[list[bool]],
) -> maskplug.Masked:
    """What the core makes of rows at an epoch counted from 0."""
    name, given = spec
    tokens = maskplug.TokenBatch.from_lists(rows, np.asarray(keys, np.uint64), **layers)
    vocab = maskplug_fairseq.vocabulary(dictionary)
    if special:
        vocab = replace(vocab, special_ids=[*vocab.special_ids, *special])
    return maskplug.strategy(name, **given)(tokens, vocab, seed=7, epoch=epoch)


def found(run_part: Sequence[Any], name: str, pad: int = PAD) -> dict[int, list[int]]:
    """A field's rows by sample id; each sample once."""
    rows: dict[int, list[int]] = {}
    for batch in run_part:
        new = batch.rows(name, pad)
        assert not set(new) & set(rows)
        rows.update(new)
    return rows


def weights(folder: Path) -> dict[str, torch.Tensor]:
    """The parameters in a run's last checkpoint."""
    state = torch.load(folder / "checkpoint_last.pt", weights_only=True)
    parameters: dict[str, torch.Tensor] = state["model"]
    return parameters


@dataclass(frozen=True)
class Labelled:
    """Pairs of lines with a label, as fairseq's sentence_prediction wants them."""

    folder: Path
    text: Text

    @property
    def data(self) -> str:
        return str(self.folder)

    def labels(self, split: str) -> list[str]:
        return (self.folder / f"{split}.label").read_text().split()


def make_labelled(folder: Path, text: Text, inputs: int = 2) -> Labelled:
    """Both languages of a text, line by line, with labels."""
    pick = random.Random(8)
    for split, size in LINES.items():
        lines = "".join(f"{pick.choice(LABELS)}\n" for _ in range(size + 1))
        (folder / f"{split}.label").write_text(lines)
    shared = ["--srcdict", str(text.folder / "dict" / "dict.txt")]
    for i, language in enumerate(LANGUAGES[:inputs]):
        for split in LINES:
            where = folder / f"input{i}"
            binarize(text.folder / f"{split}.{language}", where, *shared, split=split)
    binarize(folder / "train.label", folder / "label", split="train")
    known = ["--srcdict", str(folder / "label" / "dict.txt")]
    binarize(folder / "valid.label", folder / "label", *known, split="valid")
    return Labelled(folder, text)
