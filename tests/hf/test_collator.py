"""The collator alone: shapes and types of transformers' collators, and sample-stable masks."""

from __future__ import annotations

import pickle
import random
from typing import Any

import numpy as np
import pytest
import torch
from transformers import BatchEncoding, DataCollatorForLanguageModeling

import maskplug
from maskplug_hf import DataCollatorForMasking, vocabulary
from support import hf_tokenizers as tokenizers
from support.hf_reference import reference_masks

TOKENIZER = tokenizers.bert()
TEXT = tokenizers.TEXT[:5]


def make_collator(strategy: str = "static", tokenizer: Any = TOKENIZER, **options: Any) -> Any:
    return DataCollatorForMasking(tokenizer, strategy, **{"seed": 3, **options})


def features(tokenizer: Any = TOKENIZER, **options: Any) -> list[dict[str, list[int]]]:
    encoded = tokenizer(TEXT, **options)
    return [{name: encoded[name][i] for name in encoded} for i in range(len(TEXT))]


def ids_of(batch: Any) -> list[list[int]]:
    """The rows of a batch without padding."""
    pairs = zip(batch["input_ids"].tolist(), batch["attention_mask"].tolist(), strict=True)
    return [[i for i, seen in zip(row, mask, strict=True) if seen] for row, mask in pairs]


@pytest.mark.parametrize("kind", ["pt", "np"])
@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("multiple", [None, 8])
@pytest.mark.parametrize("form", ["dicts", "encodings", "specials", "types", "bare"])
def test_same_shape_as_transformers(kind: str, side: str, multiple: int, form: str) -> None:
    tokenizer = tokenizers.bert(padding_side=side)
    samples: Any = features(return_token_type_ids=form == "types")
    if form == "encodings":
        samples = [BatchEncoding(feature) for feature in samples]
    if form == "specials":
        samples = features(return_special_tokens_mask=True)
    if form == "bare":
        samples = [feature["input_ids"] for feature in samples]
    options = {"return_tensors": kind, "pad_to_multiple_of": multiple}
    ours = make_collator(tokenizer=tokenizer, rate=0.3, **options)(samples)
    theirs = DataCollatorForLanguageModeling(tokenizer, **options)(samples)
    assert isinstance(ours, BatchEncoding)
    assert set(ours) == set(theirs)
    for name in theirs:
        assert type(ours[name]) is type(theirs[name])
        assert ours[name].shape == theirs[name].shape, name
        assert ours[name].dtype == theirs[name].dtype, name
        if name not in ("input_ids", "labels"):
            assert (ours[name] == theirs[name]).all(), name
    kept = ours["labels"] == -100
    original = theirs["input_ids"] * (theirs["labels"] == -100) + theirs["labels"] * (
        theirs["labels"] != -100
    )
    assert (ours["input_ids"][kept] == original[kept]).all()
    assert (ours["labels"][~kept] == original[~kept]).all()
    assert (~kept).any()


@pytest.mark.parametrize("as_row", [tuple, np.array, torch.tensor])
@pytest.mark.parametrize("kind", [int, float, bool])
def test_attention_masks_of_any_number_hide_their_zeros(as_row: Any, kind: type) -> None:
    padded = features(padding="max_length", max_length=40)
    masks = [as_row([kind(seen) for seen in f["attention_mask"]]) for f in padded]
    samples = [{**f, "attention_mask": mask} for f, mask in zip(padded, masks, strict=True)]
    batch, expected = (make_collator()(each) for each in (samples, padded))
    assert all(torch.equal(batch[name], expected[name]) for name in expected)


def test_masks_are_those_of_the_core() -> None:
    rows = dict(zip("abcde", TOKENIZER(TEXT)["input_ids"], strict=True))
    samples = [{"input_ids": row, "sample_id": key} for key, row in rows.items()]
    collator = make_collator("span", rate=0.4)
    collator.set_epoch(4)
    batch = collator(samples)
    assert "sample_id" not in batch
    strategy = maskplug.strategy("span", rate=0.4)
    expected = reference_masks(rows, vocabulary(TOKENIZER), strategy, seed=3, epoch=4)
    assert ids_of(batch) == [list(ids) for ids, _ in expected.values()]


def test_padding_changes_no_mask() -> None:
    plain = make_collator(rate=0.4)(features())
    expected = ids_of(plain)
    for side in ("left", "right"):
        tokenizer = tokenizers.bert(padding_side=side)
        assert ids_of(make_collator(rate=0.4, tokenizer=tokenizer)(features())) == expected
        padded = features(tokenizer, padding="max_length", max_length=40)
        batch = make_collator(rate=0.4, tokenizer=tokenizer)(padded)
        assert batch["input_ids"].shape == (5, 40)
        assert batch["attention_mask"].tolist() == [one["attention_mask"] for one in padded]
        assert ids_of(batch) == expected
        assert (batch["labels"][batch["attention_mask"] == 0] == -100).all()


def test_other_columns_are_stacked() -> None:
    samples = [
        {"input_ids": [2, 9, 3], "weight": 0.5, "domain": 1, "box": [1, 2]},
        {"input_ids": [2, 9, 8, 3], "weight": 1.5, "domain": 2, "box": [3, 4]},
    ]
    batch = make_collator()(samples)
    assert batch["weight"].tolist() == [0.5, 1.5]
    assert batch["domain"].dtype == torch.int64
    assert batch["box"].tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    "row", [[], [2], [7], [2, 3], [0, 0, 0], [2, 7, 3]], ids=lambda row: f"{len(row)}-{row}"
)
@pytest.mark.parametrize("strategy", ["dynamic", "whole_word", "span", "word_dropout", "none"])
def test_empty_and_special_rows(strategy: str, row: list[int]) -> None:
    options = {} if strategy == "none" else {"rate": 0.5, "clock": "never"}
    batch = make_collator(strategy, **options)([{"input_ids": row}])
    assert batch["input_ids"].shape == (1, max(1, len(row)))  # no model takes a width of 0
    predicted = [label for label in batch["labels"][0].tolist() if label != -100]
    assert predicted in ([], [7])
    if 7 in row and strategy not in ("none", "word_dropout"):
        assert predicted == [7]


def test_features_and_random_generators_are_not_changed() -> None:
    samples = [{k: np.array(v) for k, v in f.items()} for f in features()]
    copies = [{k: v.copy() for k, v in f.items()} for f in samples]

    def state() -> tuple[Any, ...]:
        numpy = np.random.get_state()  # noqa: NPY002
        return random.getstate(), numpy[1].tolist(), numpy[2], torch.get_rng_state().tolist()

    before = state()
    make_collator()(samples)
    make_collator("dynamic", rate=0.3).set_epoch(1)
    assert state() == before
    for one, copy in zip(samples, copies, strict=True):
        assert all((one[name] == copy[name]).all() for name in copy)


def test_pickle_spec_and_repr() -> None:
    collator = make_collator("dynamic", rate=0.2)
    collator.set_epoch(2)
    again = pickle.loads(pickle.dumps(collator))
    assert again(features())["labels"].tolist() == collator(features())["labels"].tolist()
    assert collator.spec == maskplug.strategy("dynamic", rate=0.2).spec
    assert collator.fingerprint in repr(collator)
    assert "seed=3" in repr(collator)
    assert make_collator(collator.spec).fingerprint == collator.fingerprint
