"""Errors name the culprit, the value and the choices, and come before training starts."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from transformers.data import data_collator

import maskplug
from maskplug.errors import MaskplugError, OptionError, TokenError, VocabularyError
from maskplug_hf import DataCollatorForMasking
from support import hf_tokenizers as tokenizers


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strategy": "dynamical"}, "unknown strategy 'dynamical'; did you mean 'dynamic'"),
        ({"mlm_probability": 0.15}, "has no option 'mlm_probability'"),
        ({"rate": 1.5}, "'rate' is 1.5; it must be a number from 0 to 1"),
        ({"rate": float("nan")}, "'rate' is nan"),
        ({"seed": -1}, "seed is -1"),
        ({"return_tensors": "tf"}, "return_tensors is 'tf'; choices: 'pt'"),
        ({"pad_to_multiple_of": 0}, "pad_to_multiple_of is 0"),
        ({"pad_to_multiple_of": "8"}, "pad_to_multiple_of is '8'; it must be an integer"),
        ({"pad_to_multiple_of": 8.0}, "pad_to_multiple_of is 8.0; it must be an integer"),
        ({"mask_id": "[MASK]"}, r"mask_id is '\[MASK\]'; it must be an integer"),
        ({"vocabulary": {"a": 1}}, r"vocabulary is .*maskplug_hf.vocabulary\(tokenizer\)"),
        ({"strategy": True}, "strategy is True; use .*'dynamic', rate=0.15"),
        ({"strategy": 0.15}, "strategy is 0.15; use .*'dynamic', rate=0.15"),
    ],
)
def test_constructor_refuses_invalid_arguments(options: dict[str, Any], message: str) -> None:
    with pytest.raises(MaskplugError, match=message):
        DataCollatorForMasking(tokenizers.bert(), **options)


def transformers_arguments() -> set[str]:
    """The arguments of all collators of transformers."""
    collators = [c for c in vars(data_collator).values() if inspect.isclass(c)]
    named = [c for c in collators if c.__name__.startswith("DataCollator")]
    names = set().union(*(inspect.signature(collator).parameters for collator in named))
    return names - {"args", "kwargs"}


OURS = inspect.signature(DataCollatorForMasking).parameters
#: What the message says to write.
REPLACED = {
    "mlm": "rate=0.15",
    "mlm_probability": "rate",
    "whole_word_mask": "'whole_word'",
    "mask_replace_prob": "mask",
    "random_replace_prob": "random",
    "plm_probability": "'permutation'",
    "padding": "padded to the longest",
    "label_pad_token_id": "-100",
    "max_length": "truncation=True",
    "return_position_ids": "DataCollatorForPacking",
}


@pytest.mark.parametrize(
    "name", sorted((transformers_arguments() | {*REPLACED, "truncation"}) - {*OURS})
)
def test_arguments_of_transformers_collators(name: str) -> None:
    for strategy in ("dynamic", "bart", maskplug.strategy("t5").spec):
        with pytest.raises(OptionError, match=name) as error:
            DataCollatorForMasking(tokenizers.bert(), strategy, **{name: 1})
        assert "\n" not in str(error.value)
    with pytest.raises(OptionError, match=REPLACED.get(name, name)):
        DataCollatorForMasking(tokenizers.bert(), **{name: 1})


def test_several_arguments_of_transformers_collators() -> None:
    with pytest.raises(OptionError, match=r"mlm: .*rate=0.15.*; whole_word_mask: .*'whole_word'"):
        DataCollatorForMasking(tokenizers.bert(), mlm=True, whole_word_mask=True, rate=0.1)


def test_options_of_a_strategy_with_the_name_of_an_argument() -> None:
    collator = DataCollatorForMasking(tokenizers.bert(), "span", max_length=4)
    assert collator.spec["options"]["max_length"] == 4
    DataCollatorForMasking(tokenizers.bert(), collator.spec, max_length=3)


@pytest.mark.parametrize("strategy", ["dynamic", "static", "whole_word", "span", "word_dropout"])
def test_no_mask_token_at_construction(strategy: str) -> None:
    tokenizer = tokenizers.gpt2(pad_token="<|endoftext|>")
    with pytest.raises(VocabularyError, match=r"add_special_tokens.*mask_id="):
        DataCollatorForMasking(tokenizer, strategy)
    DataCollatorForMasking(tokenizer, "none")


def test_no_padding_token() -> None:
    with pytest.raises(VocabularyError, match="has no padding token"):
        DataCollatorForMasking(tokenizers.gpt2(mask_token="<|endoftext|>"))


ROW = {"input_ids": [2, 7, 8, 3]}
MASK = {"attention_mask": [1, 1]}


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ([], "the list of features is empty"),
        ([{"ids": [2, 3]}], "no column 'input_ids', only .'ids'"),
        ([ROW, {**ROW, "label": 1}], "feature 1 has .'input_ids', 'label'., the first one has"),
        ([ROW, [2, 3]], "feature 1 has list"),
        ([{"input_ids": [2, 7, 9999, 3]}], "token id 9999 .sample 0, position 2. is outside"),
        ([{"input_ids": [2, -7, 3]}], "token id -7"),
        ([{"input_ids": [2, 0.5, 3]}], "column 'input_ids': row 0 does not hold integers"),
        ([{"input_ids": ["a", "b"]}], "column 'input_ids': row 0"),
        ([{"input_ids": 5}], "column 'input_ids': row 0 does not hold integers only"),
        ([ROW, {"input_ids": torch.tensor([0.5])}], "column 'input_ids': row 1 does not"),
        ([{"input_ids": torch.tensor([0.5])}], "column 'input_ids': row 0 does not"),
        ([{"input_ids": torch.tensor([1j])}], "column 'input_ids': row 0 does not"),
        ([{"input_ids": torch.ones(2, 3).long()}], "column 'input_ids': row 0 does not"),
        ([{"input_ids": torch.tensor(5)}], "column 'input_ids': row 0 does not"),
        *(
            ([{"input_ids": row}], r"'input_ids': row 0 .* its shape is \(2, .*as a sample")
            for row in (np.ones((2, 3), int), [[1, 2], [3]], [[1], [2]], pa.array([[1], [2]]))
        ),
        *(
            ([{"input_ids": row}], "'input_ids': row 0 does not hold integers only")
            for row in (pa.array([5, None]), np.array([5, None]), pa.scalar([0.5]))
        ),
        *(
            ([table({"input_ids": [[5, 6]]})], r"feature 0 is a table .*with_format\(None\)")
            for table in (pa.table, pa.RecordBatch.from_pydict, pd.DataFrame)
        ),
        ([ROW | {"attention_mask": torch.ones(3)}], "'attention_mask' has 3 values for the 4"),
        ([ROW | {"attention_mask": ["a"] * 4}], "column 'attention_mask' of feature 0 is"),
        ([{**ROW, **MASK}], "'attention_mask' has 2 values for the 4 tokens of feature 0"),
        ([ROW | {"special_tokens_mask": [1]}], "'special_tokens_mask' has 1 values for the 4"),
        ([ROW | {"token_type_ids": [0] * 5}], "'token_type_ids' has 5 values for the 4"),
        ([ROW | {"word_ids": [None, 1]}], "'word_ids' has 2 values for the 4"),
        ([ROW | {"sample_id": 1}, ROW | {"sample_id": None}], "feature 1 has no sample_id"),
        ([ROW | {"sample_id": 0.5}], "sample key 0.5 is a float"),
        ([ROW | {"sample_id": -1}], "sample key -1 is out of range"),
        ([ROW | {"extra": [1]}, ROW | {"extra": [1, 2]}], "'extra' has rows of different lengths"),
        ([ROW | {"text": "hello"}], "column 'text' holds str .'hello'. and cannot become a tensor"),
        ([ROW | {"labels": 1}, ROW | {"labels": [1]}], "'labels' mixes single labels and sequ"),
        ([ROW | {"labels": "x"}], "column 'labels'"),
        ([ROW | {"labels": 1, "label": 1}], "the columns .'label', 'labels'"),
        ([ROW | {"labels": [0.0]}, ROW | {"labels": [0.0, 1.0]}], "'labels' has rows of diff"),
    ],
)
def test_invalid_features_are_refused(features: Any, message: str) -> None:
    with pytest.raises(TokenError, match=message):
        DataCollatorForMasking(tokenizers.bert(), "static")(features)


def test_return_tensors_of_a_call_and_negative_epochs() -> None:
    collator = DataCollatorForMasking(tokenizers.bert(), "static")
    assert isinstance(collator([ROW], return_tensors="np")["labels"], np.ndarray)
    with pytest.raises(OptionError, match="choices: 'pt'"):
        collator([ROW], return_tensors="jax")
    with pytest.raises(OptionError, match="epoch is -1"):
        collator.set_epoch(-1)
