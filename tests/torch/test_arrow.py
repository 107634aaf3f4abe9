"""Rows of a `datasets.Dataset` are read as arrays, with the same values."""

from __future__ import annotations

import pickle
from typing import Any

import datasets
import numpy as np
import pytest
import torch
from maskplug_torch import KeyedDataset, SharedEpoch
from maskplug_torch.datasets import reader

from maskplug_hf import DataCollatorForMasking
from support import hf_tokenizers as tokenizers

COLUMNS: dict[str, list[Any]] = {
    "input_ids": [[2, 9, 10, 3], [2, 3], [], [2, 11, 3]],
    "attention_mask": [[1, 1, 1, 1], [1, 1], [], [1, 1, 0]],
    "word_ids": [[None, 0, 0, None], [None, None], [], [None, 0, None]],
    "weights": [[0.5] * 4, [0.5, 0.25], [], [1.0] * 3],
    "sample_id": ["a", "b", "c", "d"],
    "label": [0, 1, 2, 3],
}
ORDER = [3, 0, 2, 0, 1]


def plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value


@pytest.mark.parametrize("way", ["as it is", "shuffled", "in two files", "sliced"])
def test_rows_are_those_of_the_dataset(way: str) -> None:
    rows = datasets.Dataset.from_dict(COLUMNS)
    if way == "shuffled":
        rows = rows.shuffle(seed=1)
    if way == "in two files":
        rows = datasets.concatenate_datasets([rows.select([0, 1]), rows.select([2, 3])])
    if way == "sliced":
        rows = datasets.concatenate_datasets([rows, rows, rows]).select(range(3, 9))
    read = reader(rows)
    assert read is not None
    rows_read = pickle.loads(pickle.dumps(read))(ORDER)
    assert isinstance(rows_read[0]["input_ids"], np.ndarray)
    expected = rows.__getitems__(ORDER)
    assert [{n: plain(v) for n, v in row.items()} for row in rows_read] == expected


def test_only_the_requested_columns_are_read() -> None:
    rows = datasets.Dataset.from_dict(COLUMNS)
    keyed = KeyedDataset(rows, SharedEpoch(), frozenset({"input_ids", "not there"}))
    read = reader(keyed.dataset)
    assert read is not None
    assert [set(row) for row in read([1, 0])] == [{"input_ids", "sample_id"}] * 2
    assert reader(KeyedDataset(rows, SharedEpoch(), frozenset({"not there"})).dataset) is None
    assert (set(keyed[3]), keyed[3].key) == ({"input_ids"}, "d")
    assert set(rows.column_names) == set(COLUMNS), "the caller's dataset keeps its columns"


@pytest.mark.parametrize(
    "rows",
    [
        [{"input_ids": [5]}],
        datasets.Dataset.from_dict(COLUMNS).with_format("numpy"),
        datasets.Dataset.from_dict(COLUMNS).with_transform(lambda rows: rows),
        datasets.Dataset.from_dict({"label": [1, 2]}),
        datasets.Dataset.from_dict(
            {"input_ids": [[5]], "picture": [None]},
            features=datasets.Features(
                {"input_ids": datasets.List(datasets.Value("int64")), "picture": datasets.Image()}
            ),
        ),
    ],
    ids=["a list", "with a format", "with a transform", "without rows", "with pictures"],
)
def test_other_datasets_have_no_reader(rows: Any) -> None:
    assert reader(rows) is None


def test_unsigned_and_missing_rows_are_unchanged() -> None:
    rows = datasets.Dataset.from_dict(
        {"input_ids": [[5], None], "huge": [[7], [1]]},
        features=datasets.Features(
            {
                name: datasets.List(datasets.Value(kind))
                for name, kind in (("input_ids", "int64"), ("huge", "uint64"))
            }
        ),
    )
    read = reader(rows)
    assert read is not None
    assert read([0, 1]) == rows.__getitems__([0, 1])


@pytest.mark.parametrize("workers", [0, 2])
def test_masks_are_the_same_as_from_lists(workers: int) -> None:
    columns = {n: COLUMNS[n] for n in ("input_ids", "attention_mask", "sample_id")}
    rows = datasets.Dataset.from_dict({n: [v[0], v[3], v[1]] for n, v in columns.items()})
    lists = [dict(row) for row in rows]
    collator = DataCollatorForMasking(tokenizers.bert(), "dynamic", rate=0.5, seed=3)
    batches = []
    for kind in (rows, lists):
        loader: Any = torch.utils.data.DataLoader(
            KeyedDataset(kind, SharedEpoch(), None), 3, collate_fn=collator, num_workers=workers
        )
        batches += list(loader)
    assert batches[0].keys() == batches[1].keys()
    for name, value in batches[0].items():
        assert torch.equal(value, batches[1][name])
