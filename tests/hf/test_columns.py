"""The columns of samples: types of rows and keys, and annotations for the strategy."""

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
from support import hf_strategies as strategies
from support import hf_tokenizers as tokenizers
from support.hf_reference import reference_masks

TOKENIZER = tokenizers.bert()
ROW = [2, 7, 8, 9, 10, 3]
ALL: dict[str, Any] = {"rate": 1.0, "clock": "never"}
FORMS: dict[str, Callable[[list[Any]], Any]] = {
    "numpy": np.array,
    "numpy (1, L)": lambda row: np.array([row]),
    "numpy int32": lambda row: np.array(row, np.int32),
    "objects": lambda row: np.array(row, object),
    "objects (1, L)": lambda row: np.array([row], object),
    "torch": torch.tensor,
    "torch (1, L)": lambda row: torch.tensor([row]),
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
    encoded = TOKENIZER(TEXT, return_token_type_ids=True, return_special_tokens_mask=True)
    rows = [{name: list(encoded[name][i]) for name in encoded} for i in range(len(TEXT))]
    for row in rows:
        count = len(row["input_ids"])
        row |= {"word_ids": list(range(count)), "sentence_starts": [0] * count}
        row["labels"] = list(range(count))
    return [{name: form(values) for name, values in row.items()} for row in rows]


@pytest.mark.parametrize("form", FORMS)
def test_every_column_accepts_every_row_type(form: str) -> None:
    collate = DataCollatorForMasking(TOKENIZER, "static", rate=0.4)
    expected = collate(features())
    batch = collate(features(FORMS[form]))
    assert batch.keys() == expected.keys()
    assert all(torch.equal(batch[name], expected[name]) for name in expected)
    bare = collate([row["input_ids"] for row in features(FORMS[form])])
    assert torch.equal(bare["input_ids"], expected["input_ids"])


@pytest.mark.parametrize(
    ("sample_id", "key"),
    [
        *((key, key) for key in (7, "seven", b"seven")),
        *((form(7), 7) for form in (np.int64, np.array, torch.tensor, pa.scalar)),
        (np.array([7]), 7),
    ],
    ids=repr,
)
def test_keys_and_labels_of_samples(sample_id: Any, key: Any) -> None:
    collate = DataCollatorForMasking(TOKENIZER, "static", rate=0.4, seed=3)
    row = features()[0]["input_ids"]
    masks = reference_masks({key: row}, collate.vocabulary, collate.strategy, seed=3)
    batch = collate([{"input_ids": row, "sample_id": sample_id, "label": pa.scalar(1)}])
    assert tuple(batch["input_ids"][0].tolist()) == masks[key][0]
    assert batch["labels"].tolist() == [1]
    assert "sample_id" not in batch


# --- annotations ---------------------------------------------------------------------------------


def masked(batch: Any) -> list[list[int]]:
    return [np.flatnonzero(row != -100).tolist() for row in np.asarray(batch["labels"])]


@pytest.mark.parametrize("as_row", [list, np.array, torch.tensor, lambda r: np.array(r, "f4")])
def test_a_column_of_floats_is_read(as_row: Any) -> None:
    features = [
        {"input_ids": ROW, "scores": as_row([0.9, 0.9, 0.1, 0.7, 0.0, 0.9])},
        {"input_ids": ROW[:4], "scores": as_row([0, 0, 1, 0])},
    ]
    batch = DataCollatorForMasking(TOKENIZER, strategies.scored())(features)
    assert set(batch) == {"input_ids", "attention_mask", "labels"}
    assert masked(batch) == [[1, 3], [2]]


@pytest.mark.parametrize(
    ("column", "required"),
    [("token_type_ids", True), ("sentence_starts", False), ("word_starts", False)],
)
def test_columns_reach_the_strategy_and_the_model(column: str, required: bool) -> None:
    """Starts are annotations for every strategy; models also take token types."""
    strategy = strategies.scored(column, required)
    features = [{"input_ids": ROW, column: [0, 0, 0, 1, 1, 1]}]
    batch = DataCollatorForMasking(TOKENIZER, strategy)(features)
    assert masked(batch) == [[3, 4]]
    assert (column in batch) == (column == "token_type_ids")


def test_protected_tokens_add_to_special_and_hidden_ones() -> None:
    collate = DataCollatorForMasking(TOKENIZER, "dynamic", **ALL)
    features = {"input_ids": ROW, "protected": [0, 0, 1, 0, 0, 0]}
    assert masked(collate([features])) == [[1, 3, 4]]
    features |= {"special_tokens_mask": [1, 0, 0, 1, 0, 1], "attention_mask": [1, 1, 1, 1, 0, 1]}
    batch = collate([features])
    assert masked(batch) == [[1]]
    assert set(batch) == {"input_ids", "attention_mask", "labels"}
    assert batch["input_ids"][0, 2:].tolist() == ROW[2:]


STARTS = [1, *[1, 0, 0] * 4, 1]
WORDS = [0, *np.repeat(range(1, 5), 3).tolist(), 0]


@pytest.mark.parametrize(
    "column",
    [
        {"word_starts": list(map(bool, STARTS))},
        *({"word_ids": [none, *WORDS[1:-1], none]} for none in (None, -1)),
        {"word_ids": np.array([np.nan, *WORDS[1:-1], np.nan])},
    ],
    ids=str,
)
def test_word_columns_determine_whole_words(column: dict[str, Any]) -> None:
    features = [{"input_ids": [2, *range(10, 22), 3], **column}]
    batch = DataCollatorForMasking(TOKENIZER, "whole_word", rate=0.4, clock="never")(features)
    words = (batch["labels"][0, 1:-1] != -100).reshape(4, 3)
    assert (words.all(1) == words.any(1)).all()
    assert words.any()
    assert not words.all()
    assert set(batch) == {"input_ids", "attention_mask", "labels"}


def test_annotations_of_padded_rows_stay_with_their_tokens() -> None:
    scores = [0.0, 0.9, 0.1, 0.9, 0.1, 0.0]
    padded = {
        "input_ids": [0, 0, *ROW, 0],
        "attention_mask": [0, 0, *[1] * 6, 0],
        "scores": [0.9, 0.9, *scores, 0.9],
    }
    batch = DataCollatorForMasking(TOKENIZER, strategies.scored())([padded])
    assert masked(batch) == [[3, 5]]
    assert batch["attention_mask"].tolist() == [padded["attention_mask"]]
    assert batch["input_ids"].shape == (1, 9)


GOOD = {"input_ids": ROW, "scores": [0.5] * 6}


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ([{"input_ids": ROW}], r"'scored@1' requires .* 'scores', .*\['input_ids'\].*attach"),
        ([ROW], r"'scored@1' requires the column 'scores'"),
        ([GOOD, {**GOOD, "scores": [0.5]}], "'scores' has 1 values for the 6 tok.* 1"),
        ([GOOD, {**GOOD, "scores": [0.5] * 5 + [np.nan]}], "'scores' of feature 1 is nan at .* 5"),
        ([{**GOOD, "scores": [None] * 6}], "'scores' of feature 0 is .None.*one number"),
        ([{**GOOD, "scores": ["a"] * 6}], "'scores' of feature 0 is .'a'"),
        ([{**GOOD, "scores": np.ones((6, 2))}], "'scores' of feature 0"),
        ([{**GOOD, "protected": [1]}], "'protected' has 1 values for the 6 tokens of feature 0"),
        (
            [{**GOOD, "word_ids": [0] * 6, "word_starts": [1] * 6}],
            "'word_ids' and 'word_starts' both mark word starts",
        ),
    ],
)
def test_bad_columns(features: Any, message: str) -> None:
    with pytest.raises(TokenError, match=message):
        DataCollatorForMasking(TOKENIZER, strategies.scored())(features)
