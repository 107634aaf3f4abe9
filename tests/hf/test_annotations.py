"""Columns that a strategy reads, one number for each token."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
import torch
from transformers import Trainer

import maskplug
from maskplug.errors import TokenError
from maskplug_hf import DataCollatorForMasking, attach, vocabulary
from support import hf_models as models
from support import hf_runs as runs
from support import hf_strategies as strategies
from support import hf_tokenizers as tokenizers

TOKENIZER = tokenizers.bert()
ROW = [2, 7, 8, 9, 10, 3]


def masked(batch: Any) -> list[list[int]]:
    return [np.flatnonzero(row != -100).tolist() for row in np.asarray(batch["labels"])]


@pytest.mark.parametrize("as_row", [list, np.array, torch.tensor, lambda r: np.array(r, "f4")])
def test_a_column_of_floats_is_read(as_row: Any) -> None:
    collate = DataCollatorForMasking(TOKENIZER, strategies.scored())
    given = [
        {"input_ids": ROW, "scores": as_row([0.9, 0.9, 0.1, 0.7, 0.0, 0.9])},
        {"input_ids": ROW[:4], "scores": as_row([0, 0, 1, 0])},
    ]
    batch = collate(given)
    assert set(batch) == {"input_ids", "attention_mask", "labels"}
    assert masked(batch) == [[1, 3], [2]]


def test_starts_and_protected_are_annotations_for_every_strategy() -> None:
    everything = {"rate": 1.0, "clock": "never"}
    given = {"input_ids": ROW, "protected": [0, 0, 1, 0, 0, 0]}
    batch = DataCollatorForMasking(TOKENIZER, "dynamic", **everything)([given])
    assert masked(batch) == [[1, 3, 4]]
    given["special_tokens_mask"] = [1, 0, 0, 1, 0, 1]
    given["attention_mask"] = [1, 1, 1, 1, 0, 1]
    batch = DataCollatorForMasking(TOKENIZER, "dynamic", **everything)([given])
    assert masked(batch) == [[1]]
    words = {
        "input_ids": [2, *range(10, 22), 3],
        "word_starts": [True, *[True, False, False] * 4, 1],
    }
    batch = DataCollatorForMasking(TOKENIZER, "whole_word", rate=0.4, clock="never")([words])
    whole = (batch["labels"][0, 1:-1] != -100).reshape(4, 3)
    assert (whole.all(1) == whole.any(1)).all()
    assert whole.any()


def test_sentence_starts_reach_the_strategy() -> None:
    seen = []

    class Sentences(strategies.Scores):
        required_annotations = ()

        def select(self, tokens: Any, vocab: Any, rng: Any) -> Any:
            seen.append(tokens.annotations["sentence_starts"].tolist())
            return maskplug.Selection.from_mask(vocab.maskable(tokens), tokens)

    collate = DataCollatorForMasking(
        TOKENIZER, strategies.made("sentences", "labels", selector=Sentences())
    )
    collate([{"input_ids": ROW, "sentence_starts": [1, 0, 0, 1, 0, 0]}])
    assert seen[-1] == [1, 0, 0, 1, 0, 0]


def test_annotations_of_padded_rows_stay_with_their_tokens() -> None:
    plain = {"input_ids": ROW, "scores": [0.0, 0.9, 0.1, 0.9, 0.1, 0.0]}
    before = {
        "input_ids": [0, 0, *ROW, 0],
        "attention_mask": [0, 0, *[1] * 6, 0],
        "scores": [0.9, 0.9, *plain["scores"], 0.9],
    }
    collate = DataCollatorForMasking(TOKENIZER, strategies.scored())
    assert masked(collate([plain])) == [[1, 3]]
    batch = collate([before])
    assert masked(batch) == [[3, 5]]
    assert batch["attention_mask"].tolist() == [before["attention_mask"]]
    assert batch["input_ids"].shape == (1, 9)


def test_a_column_that_the_model_takes_too_stays() -> None:
    class Types(strategies.Scores):
        required_annotations = ("token_type_ids",)

        def select(self, tokens: Any, vocab: Any, rng: Any) -> Any:
            second = (tokens.annotations["token_type_ids"] == 1) & vocab.maskable(tokens)
            return maskplug.Selection.from_mask(second, tokens)

    collate = DataCollatorForMasking(
        TOKENIZER, strategies.made("types", "labels", selector=Types())
    )
    batch = collate([{"input_ids": ROW, "token_type_ids": [0, 0, 0, 1, 1, 1]}])
    assert masked(batch) == [[3, 4]]
    assert batch["token_type_ids"].tolist() == [[0, 0, 0, 1, 1, 1]]


GOOD = {"input_ids": ROW, "scores": [0.5] * 6}


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (
            [{"input_ids": ROW}],
            r"'scored@1' requires the column 'scores', .*\['input_ids'\].*attach",
        ),
        ([ROW], r"'scored@1' requires the column 'scores'"),
        ([GOOD, {**GOOD, "scores": [0.5]}], "'scores' has 1 values for the 6 tok.* 1"),
        (
            [GOOD, {**GOOD, "scores": [0.5] * 5 + [np.nan]}],
            "'scores' of feature 1 is nan at .* 5",
        ),
        (
            [{**GOOD, "scores": [None] * 6}],
            "'scores' of feature 0 is .None.*one number",
        ),
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


@pytest.mark.parametrize("table", [True, False])
def test_trainer_lets_the_columns_through(table: bool, tmp_path: Path) -> None:
    tokenizer, model = models.family("bert")
    rows = models.rows(tokenizer)
    data: Any = [
        {"input_ids": row, "scores": [0.9] * len(row), "protected": [0] * len(row), "text": "x"}
        for row in rows
    ]
    trainer = Trainer(
        model=model,
        args=runs.arguments(tmp_path, max_steps=1),
        data_collator=DataCollatorForMasking(tokenizer, strategies.scored()),
        train_dataset=datasets.Dataset.from_list(data) if table else data,
        eval_dataset=data,
    )
    assert trainer.args.remove_unused_columns
    attach(trainer)
    trainer.train()
    assert np.isfinite(trainer.evaluate()["eval_loss"])


def test_masks_are_those_of_the_core() -> None:
    scores = [[0.9, 0.2, 0.8, 0.1, 0.6, 0.0], [0.0, 0.9, 0.0, 0.0]]
    rows = [ROW, ROW[:4]]
    given = [{"input_ids": row, "scores": score} for row, score in zip(rows, scores, strict=True)]
    batch = DataCollatorForMasking(TOKENIZER, strategies.scored(), seed=5)(given)
    tokens = maskplug.TokenBatch.from_lists(rows, scores=scores)
    expected = strategies.scored()(tokens, vocabulary(TOKENIZER), seed=5)
    assert batch["input_ids"][0].tolist() == expected.inputs.to_lists()[0]
    assert batch["input_ids"][1, :4].tolist() == expected.inputs.to_lists()[1]
