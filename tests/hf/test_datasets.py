"""Datasets and trainers of every type: attach serves them, or refuses them before training."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from torch.utils.data import ConcatDataset, Dataset, IterableDataset, Subset, TensorDataset

import maskplug
from maskplug.errors import OptionError, TokenError
from maskplug_hf import DataCollatorForMasking, attach
from support import hf_runs as runs
from support import hf_tokenizers as tokenizers
from support.hf_reference import reference_masks

N = 8
ROWS = runs.rows(N)
DATA = runs.dataset(N)
TEXTS = DATA.select_columns("text")


def collator() -> DataCollatorForMasking:
    return DataCollatorForMasking(tokenizers.bert(), seed=3, rate=0.4)


def make_trainer(folder: Path, data: Any, **options: Any) -> Any:
    """A trainer on these data, for one epoch of one step."""
    options = {"max_steps": 1, "per_device_train_batch_size": N, **options}
    return runs.trainer(folder, collator(), data, **options)


def attached(folder: Path, data: Any, **options: Any) -> Any:
    trainer = make_trainer(folder, data, **options)
    attach(trainer)
    return trainer


def trained_rows(trainer: Any) -> set[Any]:
    trainer.train()
    return {one.row for one in trainer.trained}


def expected(by_content: bool = False) -> set[Any]:
    """The masks of the first epoch."""
    keys = maskplug.TokenBatch.from_lists(ROWS).keys.tolist() if by_content else range(N)
    keyed = dict(zip(keys, ROWS, strict=True))
    collate = collator()
    return set(reference_masks(keyed, collate.vocabulary, collate.strategy, seed=3).values())


class Rows(Dataset[Any]):
    """Items of any type, by index."""

    def __init__(self, *items: Any) -> None:
        self.items = items

    def __getitem__(self, index: int) -> Any:
        return self.items[index]

    def __len__(self) -> int:
        return len(self.items)


class Endless(Dataset[Any]):
    """Without a length."""

    def __getitem__(self, index: int) -> Any:
        return {"input_ids": ROWS[index % N]}


class Restarting:
    """Can be read many times, and is no class of torch's."""

    def __iter__(self) -> Iterator[Any]:
        return iter(DATA)


class Stream(IterableDataset[Any]):
    def __iter__(self) -> Iterator[Any]:
        return iter(DATA)


def by_text(batch: dict[str, Any]) -> dict[str, Any]:
    return {"input_ids": [ROWS[int(text.split()[1])] for text in batch["text"]]}


WORKS: dict[str, Any] = {
    "datasets": DATA,
    "torch format": DATA.with_format("torch"),
    "numpy format": DATA.with_format("numpy"),
    "pandas format": DATA.with_format("pandas"),
    "arrow format": DATA.with_format("arrow"),
    "a transform that tokenizes": TEXTS.with_transform(by_text),
    "a list": DATA.to_list(),
    "a tuple": tuple(DATA.to_list()),
    "bare rows": ROWS,
    "bare tuples": [tuple(row) for row in ROWS],
    "bare arrays": [np.array(row) for row in ROWS],
    "bare tensors": [torch.tensor(row) for row in ROWS],
    "torch": Rows(*DATA.to_list()),
    "a subset": Subset(DATA, range(N)),  # type: ignore[arg-type]
    "joined": ConcatDataset([DATA.select(range(3)), DATA.select(range(3, N))]),
}
STREAMS: dict[str, Any] = {
    "datasets": DATA.to_iterable_dataset(),
    "datasets without features": DATA.to_iterable_dataset().map(lambda row: row),
    "torch format": DATA.to_iterable_dataset().with_format("torch"),
    "torch": Stream(),
}


@pytest.mark.parametrize(
    ("kind", "workers"),
    [*((kind, "0") for kind in WORKS), ("arrow format", "1"), ("a transform that tokenizes", "1")],
)
def test_datasets_that_work(tmp_path: Path, kind: str, workers: str) -> None:
    assert trained_rows(attached(tmp_path, WORKS[kind], workers=workers)) == expected()


@pytest.mark.parametrize("kind", STREAMS)
@pytest.mark.filterwarnings("ignore::maskplug.errors.MaskplugWarning")
def test_streams_that_work(tmp_path: Path, kind: str) -> None:
    assert trained_rows(attached(tmp_path, STREAMS[kind])) == expected(by_content=True)


@pytest.mark.parametrize("form", [None, "torch", "arrow"])
def test_columns_that_a_format_hides_stay_hidden(tmp_path: Path, form: str | None) -> None:
    data = DATA.add_column("labels", ROWS)
    shown = data.with_format(form, columns=["input_ids", "attention_mask"])
    assert trained_rows(attached(tmp_path, shown)) == expected()


REFUSED: dict[str, tuple[Any, str]] = {
    "no ids": (TEXTS, r"has no column 'input_ids', it has \['text'\]: tokenize it first"),
    "no ids, labels": (TEXTS.add_column("label", [1] * N), r"it has \['label', 'text'\]"),
    "hidden ids": (DATA.with_format(None, columns=["text"]), r"it has \['text'\]: tokenize"),
    "no ids, list": (TEXTS.to_list(), r"it has \['text'\]: tokenize it first"),
    "no ids, stream": (TEXTS.to_iterable_dataset(), r"it has \['text'\]: tokenize it first"),
    "splits": (datasets.DatasetDict(train=DATA), r"type DatasetDict with the keys 'train'; pass"),
    "columns": ({"input_ids": ROWS}, r"type dict with the keys 'input_ids'.*Dataset.from_dict"),
    "encodings": (tokenizers.bert()(["a house"]), r"BatchEncoding with the keys 'input_ids'"),
    "pandas": (pd.DataFrame({"input_ids": ROWS}), "type DataFrame, a table; use datasets"),
    "arrow": (pa.table({"input_ids": ROWS}), "type Table, a table; use datasets.Dataset"),
    "generator": ((row for row in DATA), "type generator.*from_generator"),
    "iterable": (Restarting(), "type Restarting, which has no indices and is not"),
    "no length": (Endless(), "type Endless, which has indices but no length; add a __len__"),
    "empty list": ([], r"is empty \(list of length 0\)"),
    "empty": (DATA.select([]), r"is empty \(Dataset of length 0\)"),
    "number": (5, "type int, which has no indices"),
}


PARTS = ["train_dataset", "eval_dataset", r"eval_dataset\['a'\]"]
#: Several datasets are evaluated one after the other.
PAIRS = [(k, p) for k in REFUSED for p in PARTS if (k, p) != ("splits", "eval_dataset")]


@pytest.mark.parametrize(("kind", "part"), PAIRS)
def test_datasets_that_attach_refuses(tmp_path: Path, kind: str, part: str) -> None:
    data, message = REFUSED[kind]
    if part == "train_dataset":
        trainer = make_trainer(tmp_path, data)
    else:
        evaluation = data if part == "eval_dataset" else {"a": data}
        trainer = make_trainer(tmp_path, DATA, evaluation=evaluation)
    before = dict(vars(trainer))
    with pytest.raises(OptionError, match=f"^{part} .*{message}") as error:
        attach(trainer)
    assert "\n" not in str(error.value)
    assert all(value is before[name] for name, value in vars(trainer).items())


UNLOADED: dict[str, tuple[Any, str]] = {
    "no ids": (Rows(*TEXTS.to_list()), r"has no 'input_ids', only \['text'\]: tokenize"),
    "a transform without ids": (
        TEXTS.with_transform(lambda batch: {"words": batch["text"]}),
        r"has no 'input_ids', only \['words'\]",
    ),
    "inputs and labels": (
        TensorDataset(torch.ones(N, 4), torch.ones(N)),
        "is of type tuple; expected",
    ),
    "texts": (["a house"] * N, "is of type str; expected a mapping with 'input_ids'"),
    "numbers": (range(N), "is of type int; expected a mapping"),
    "nothing": (Rows(*[None] * N), "is of type NoneType; expected a mapping"),
}


@pytest.mark.parametrize(("kind", "workers"), [*((k, "0") for k in UNLOADED), ("no ids", "1")])
def test_samples_that_are_refused_when_they_are_read(
    tmp_path: Path, kind: str, workers: str
) -> None:
    data, message = UNLOADED[kind]
    trainer = attached(tmp_path, data, workers=workers)
    with pytest.raises(TokenError, match=rf"sample \d of the dataset {message}"):
        trainer.train()
    assert trainer.seen == []


def test_columns_are_checked_by_the_collator_without_the_filter(tmp_path: Path) -> None:
    trainer = attached(tmp_path, TEXTS, remove_unused_columns=False)
    with pytest.raises(TokenError, match=r"no column 'input_ids', only \['text'\]"):
        trainer.train()


# --- trainers that override their data loaders ---------------------------------------------------


class Checking(runs.Recorder):
    """Accepts datasets of one type only."""

    def get_train_dataloader(self) -> Any:
        if not isinstance(self.train_dataset, datasets.Dataset):
            raise ValueError("Unsupported `train_dataset` type. Use a Dataset")
        return super().get_train_dataloader()


class Remembering(runs.Recorder):
    """Trains on the dataset that was passed to the constructor."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.original = self.train_dataset

    def get_train_dataloader(self) -> Any:
        data = self.original.remove_columns("text")
        return torch.utils.data.DataLoader(data, N, collate_fn=self.data_collator)


class Halving(runs.Recorder):
    """Trains on half of the wrapped dataset."""

    def get_train_dataloader(self) -> Any:
        half = Subset(self.train_dataset, range(N // 2))
        return torch.utils.data.DataLoader(half, N // 2, collate_fn=self.data_collator)


@pytest.mark.parametrize(
    ("trainer_class", "message"),
    [
        (Checking, r"Checking.get_train_dataloader\(\) failed.*Unsupported `train_dataset` type.*"),
        (Remembering, "their masks would never change; call attach"),
    ],
)
def test_loaders_without_the_wrapped_dataset_are_refused(
    tmp_path: Path, trainer_class: Any, message: str
) -> None:
    trainer = attached(tmp_path, DATA, trainer_class=trainer_class)
    attach(trainer)
    with pytest.raises(OptionError, match=message) as error:
        trainer.train()
    assert str(error.value).count("failed") <= 1
    assert trainer.seen == []


def test_a_loader_of_a_part_of_the_wrapped_dataset(tmp_path: Path) -> None:
    trainer = attached(tmp_path, DATA, trainer_class=Halving)
    assert trained_rows(trainer) < expected()
    assert len(trainer.trained) == N // 2


@pytest.mark.parametrize("changed", ["train_dataset", "data_collator"])
def test_changes_after_attach_are_refused(tmp_path: Path, changed: str) -> None:
    trainer = attached(tmp_path, DATA)
    setattr(trainer, changed, DATA if changed == "train_dataset" else collator())
    with pytest.raises(OptionError, match="call attach\\(trainer\\) after the last change"):
        trainer.train()
    attach(trainer)
    assert trained_rows(trainer) == expected()


def test_sentence_transformers_is_refused() -> None:
    name = "sentence_transformers.base.trainer"
    kind = type("SentenceTransformerTrainer", (Checking,), {"__module__": name})
    with pytest.raises(
        OptionError, match=r"does not support SentenceTransformerTrainer: .*Trainer"
    ):
        attach(kind.__new__(kind))
