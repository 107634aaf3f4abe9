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
from maskplug.errors import MaskplugError, OptionError, TokenError
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


def trainer(folder: Path, data: Any, kind: Any = runs.Recorder, **options: Any) -> Any:
    """A trainer on these data, for one epoch of one step."""
    evaluation = options.pop("evaluation", None)
    arguments = runs.arguments(
        folder, **{"max_steps": 1, "per_device_train_batch_size": N, **options}
    )
    return kind(
        model=runs.model(),
        args=arguments,
        data_collator=collator(),
        train_dataset=data,
        eval_dataset=evaluation,
    )


def expected(rows: Any = ROWS, by_content: bool = False) -> set[Any]:
    """The masks of the first epoch."""
    keys = maskplug.TokenBatch.from_lists(rows).keys.tolist() if by_content else range(len(rows))
    made = collator()
    keyed = dict(zip(keys, rows, strict=True))
    return set(reference_masks(keyed, made.vocabulary, made.strategy, seed=3).values())


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
    made = trainer(tmp_path, WORKS[kind], workers=workers)
    attach(made)
    made.train()
    assert {one.row for one in made.trained} == expected()


@pytest.mark.parametrize("kind", STREAMS)
@pytest.mark.filterwarnings("ignore::maskplug.errors.MaskplugWarning")
def test_streams_that_work(tmp_path: Path, kind: str) -> None:
    made = trainer(tmp_path, STREAMS[kind])
    attach(made)
    made.train()
    assert {one.row for one in made.trained} == expected(by_content=True)


@pytest.mark.parametrize("form", [None, "torch", "arrow"])
def test_columns_that_a_format_hides_stay_hidden(tmp_path: Path, form: str | None) -> None:
    data = DATA.add_column("labels", ROWS)
    shown = data.with_format(form, columns=["input_ids", "attention_mask"])
    made = trainer(tmp_path, shown)
    attach(made)
    made.train()
    assert {one.row for one in made.trained} == expected()


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
        made = trainer(tmp_path, data)
    else:
        made = trainer(tmp_path, DATA, evaluation=data if part == "eval_dataset" else {"a": data})
    before = made.train_dataset, made.eval_dataset, made.data_collator, made.compute_loss
    with pytest.raises(OptionError, match=f"^{part} .*{message}") as error:
        attach(made)
    assert "\n" not in str(error.value)
    after = made.train_dataset, made.eval_dataset, made.data_collator, made.compute_loss
    assert all(a is b for a, b in zip(before[:3], after, strict=False))
    assert before[3] == after[3]


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
    made = trainer(tmp_path, data, workers=workers)
    attach(made)
    with pytest.raises(TokenError, match=rf"sample \d of the dataset {message}"):
        made.train()
    assert made.seen == []


def test_without_the_filter_a_collator_of_ones_own_may_tokenize(tmp_path: Path) -> None:
    made = trainer(tmp_path, TEXTS, remove_unused_columns=False)
    attach(made)
    with pytest.raises(TokenError, match=r"no column 'input_ids', only \['text'\]"):
        made.train()


# --- trainers that make their data loaders in a way of their own ---------------------------------


class Checking(runs.Recorder):
    """Takes datasets of one type only, as trainers built on transformers' own do."""

    def get_train_dataloader(self) -> Any:
        if not isinstance(self.train_dataset, datasets.Dataset):
            raise ValueError("Unsupported `train_dataset` type. Use a Dataset")
        return super().get_train_dataloader()


class Remembering(runs.Recorder):
    """Trains on the dataset that it was made with."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.original = self.train_dataset

    def get_train_dataloader(self) -> Any:
        return torch.utils.data.DataLoader(
            self.original.remove_columns("text"), N, collate_fn=self.data_collator
        )


class Own(runs.Recorder):
    """Makes its loader of half of the wrapped dataset."""

    def get_train_dataloader(self) -> Any:
        half = Subset(self.train_dataset, range(N // 2))
        return torch.utils.data.DataLoader(half, N // 2, collate_fn=self.data_collator)


def test_a_trainer_that_checks_the_type_of_its_dataset(tmp_path: Path) -> None:
    made = trainer(tmp_path, DATA, Checking)
    attach(made)
    attach(made)
    with pytest.raises(
        OptionError,
        match=r"Checking.get_train_dataloader\(\) failed.*Unsupported `train_dataset` type.*use tr",
    ) as error:
        made.train()
    assert str(error.value).count("failed") == 1
    assert made.seen == []


def test_a_trainer_that_keeps_its_dataset(tmp_path: Path) -> None:
    made = trainer(tmp_path, DATA, Remembering)
    attach(made)
    with pytest.raises(OptionError, match="their masks would never change; call attach"):
        made.train()
    assert made.seen == []


def test_a_trainer_with_a_loader_of_its_own(tmp_path: Path) -> None:
    made = trainer(tmp_path, DATA, Own)
    attach(made)
    made.train()
    assert {one.row for one in made.trained} < expected()
    assert len(made.trained) == N // 2


@pytest.mark.parametrize("changed", ["train_dataset", "data_collator"])
def test_changes_after_attach_are_refused(tmp_path: Path, changed: str) -> None:
    made = trainer(tmp_path, DATA)
    attach(made)
    setattr(made, changed, DATA if changed == "train_dataset" else collator())
    with pytest.raises(OptionError, match="call attach\\(trainer\\) after the last change"):
        made.train()
    attach(made)
    made.train()
    assert {one.row for one in made.trained} == expected()


def test_sentence_transformers_is_refused(tmp_path: Path) -> None:
    name = "sentence_transformers.base.trainer"
    kind = type("SentenceTransformerTrainer", (Checking,), {"__module__": name})
    with pytest.raises(
        OptionError, match=r"does not support SentenceTransformerTrainer: .*Trainer"
    ):
        attach(trainer(tmp_path, TEXTS, kind))


def test_the_real_sentence_transformers_is_refused(tmp_path: Path) -> None:
    library = pytest.importorskip("sentence_transformers")
    kind = library.SentenceTransformerTrainer
    made = kind.__new__(kind)
    with pytest.raises(MaskplugError, match="does not support SentenceTransformerTrainer"):
        attach(made)
