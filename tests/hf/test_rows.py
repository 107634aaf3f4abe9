"""Rows that are wrapped up, in every column that the collator reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch

from maskplug.errors import TokenError
from maskplug_hf import DataCollatorForMasking
from support import hf_tokenizers as tokenizers

FORMS: dict[str, Callable[[list[Any]], Any]] = {
    "numpy (1, L)": lambda row: np.array([row]),
    "torch (1, L)": lambda row: torch.tensor([row]),
    "objects": lambda row: np.array(row, object),
    "objects (1, L)": lambda row: np.array([row], object),
    "tensors of no dimension": lambda row: [torch.tensor(i) for i in row],
    "arrow scalar": pa.scalar,
    "arrow large list": lambda row: pa.scalar(row, pa.large_list(pa.int32())),
    "arrow array": pa.array,
    "arrow list array": lambda row: pa.array([row]),
    "arrow chunks": lambda row: pa.chunked_array([row]),
    "arrow scalars": lambda row: list(pa.array(row)),
    "series": pd.Series,
    "series of objects": lambda row: pd.Series(
        row, dtype=object, index=[9 - i for i in row[:1]] * len(row)
    ),
    "series that may be null": lambda row: pd.Series(row, dtype="Int64"),
}
TEXT = tokenizers.TEXT[:4]


def features(form: Callable[[list[Any]], Any] = list) -> list[dict[str, Any]]:
    encoded = tokenizers.bert()(TEXT, return_token_type_ids=True, return_special_tokens_mask=True)
    rows = [{name: list(encoded[name][i]) for name in encoded} for i in range(len(TEXT))]
    for row in rows:
        count = len(row["input_ids"])
        row |= {"word_ids": list(range(count)), "sentence_starts": [0] * count}
        row["labels"] = list(range(count))
    return [{name: form(values) for name, values in row.items()} for row in rows]


@pytest.mark.parametrize("form", FORMS)
def test_every_column_accepts_every_row_type(form: str) -> None:
    collate = DataCollatorForMasking(tokenizers.bert(), "static", rate=0.4)
    expected = collate(features())
    batch = collate(features(FORMS[form]))
    assert batch.keys() == expected.keys()
    assert all(torch.equal(batch[name], expected[name]) for name in expected)
    bare = collate([row["input_ids"] for row in features(FORMS[form])])
    assert torch.equal(bare["input_ids"], expected["input_ids"])


@pytest.mark.parametrize("form", [np.array, torch.tensor, pa.scalar, lambda key: np.array([key])])
def test_keys_and_labels_of_samples(form: Any) -> None:
    collate = DataCollatorForMasking(tokenizers.bert(), "static", rate=0.4)
    rows = [row["input_ids"] for row in features()]
    plain = [{"input_ids": row, "sample_id": i, "label": 1} for i, row in enumerate(rows)]
    given = [{**row, "sample_id": form(row["sample_id"])} for row in plain]
    given = [{**row, "label": pa.scalar(1)} for row in given]
    expected = collate(plain)
    assert all(torch.equal(tensor, expected[name]) for name, tensor in collate(given).items())


@pytest.mark.parametrize(
    "row",
    [
        np.ones((2, 3), int),
        torch.ones(2, 3).long(),
        [[1, 2], [3]],
        [[1], [2]],
        pa.array([[1], [2]]),
    ],
)
def test_nested_rows_are_refused(row: Any) -> None:
    collate = DataCollatorForMasking(tokenizers.bert(), "static")
    with pytest.raises(TokenError, match=r"'input_ids': row 0 .* its shape is \(2, .*as a sample"):
        collate([{"input_ids": row}])


@pytest.mark.parametrize("row", [pa.array([5, None]), np.array([5, None]), pa.scalar([0.5])])
def test_missing_values_and_fractions_are_refused(row: Any) -> None:
    with pytest.raises(TokenError, match="'input_ids': row 0 does not hold integers only"):
        DataCollatorForMasking(tokenizers.bert(), "static")([{"input_ids": row}])


@pytest.mark.parametrize(
    "table",
    [
        pa.table({"input_ids": [[5, 6]]}),
        pa.RecordBatch.from_pydict({"input_ids": [[5, 6]]}),
        pd.DataFrame({"input_ids": [[5, 6]]}),
    ],
    ids=lambda table: type(table).__name__,
)
def test_tables_are_refused(table: Any) -> None:
    collate = DataCollatorForMasking(tokenizers.bert(), "static")
    with pytest.raises(TokenError, match=r"feature 0 is a table .*with_format\(None\)"):
        collate([table])
