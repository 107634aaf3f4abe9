"""The collator alone: a drop-in for transformers' own, and sample-stable besides."""

from __future__ import annotations

import pickle
import random
import warnings
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader
from transformers import BatchEncoding, DataCollatorForLanguageModeling

import maskplug
from maskplug.errors import MaskplugWarning
from maskplug_hf import DataCollatorForMasking, vocabulary
from support import hf_runs as runs
from support import hf_tokenizers as tokenizers
from support.hf_reference import reference_masks

TOKENIZER = tokenizers.bert()
TEXT = tokenizers.TEXT[:5]


def made(strategy: str = "static", tokenizer: Any = TOKENIZER, **options: Any) -> Any:
    """A collator that needs no epoch, unless told otherwise."""
    return DataCollatorForMasking(tokenizer, strategy, **{"seed": 3, **options})


def features(**options: Any) -> list[dict[str, list[int]]]:
    encoded = TOKENIZER(TEXT, **options)
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
    given: Any = features(return_token_type_ids=form == "types")
    if form == "encodings":
        given = [BatchEncoding(feature) for feature in given]
    if form == "specials":
        given = features(return_special_tokens_mask=True)
    if form == "bare":
        given = [feature["input_ids"] for feature in given]
    options = {"return_tensors": kind, "pad_to_multiple_of": multiple}
    ours = made(tokenizer=tokenizer, rate=0.3, **options)(given)
    theirs = DataCollatorForLanguageModeling(tokenizer, **options)(given)
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


@pytest.mark.parametrize("as_row", [list, np.array, torch.tensor, lambda r: np.array(r, np.int32)])
def test_lists_numpy_and_torch_rows(as_row: Any) -> None:
    plain = features(return_special_tokens_mask=True)
    rows = [{name: as_row(row) for name, row in feature.items()} for feature in plain]
    expected = made()(plain)
    assert {k: v.tolist() for k, v in made()(rows).items()} == {
        k: v.tolist() for k, v in expected.items()
    }
    bare = made()([as_row(feature["input_ids"]) for feature in plain])
    assert bare["input_ids"].tolist() == expected["input_ids"].tolist()


@pytest.mark.parametrize("as_row", [tuple, np.array, torch.tensor])
@pytest.mark.parametrize("kind", [int, float, bool])
def test_attention_masks_of_any_number_hide_their_zeros(as_row: Any, kind: type) -> None:
    padded = features(padding="max_length", max_length=40)
    masks = [as_row([kind(seen) for seen in f["attention_mask"]]) for f in padded]
    given = [{**f, "attention_mask": mask} for f, mask in zip(padded, masks, strict=True)]
    assert torch.equal(made()(given)["labels"], made()(padded)["labels"])
    assert torch.equal(made()(given)["attention_mask"], made()(padded)["attention_mask"])


def test_masks_are_those_of_the_core() -> None:
    rows = dict(zip("abcde", TOKENIZER(TEXT)["input_ids"], strict=True))
    given = [{"input_ids": row, "sample_id": key} for key, row in rows.items()]
    collator = made("span", rate=0.4)
    collator.set_epoch(4)
    batch = collator(given)
    assert "sample_id" not in batch
    strategy = maskplug.strategy("span", rate=0.4)
    expected = reference_masks(rows, vocabulary(TOKENIZER), strategy, seed=3, epoch=4)
    assert ids_of(batch) == [list(ids) for ids, _ in expected.values()]


@pytest.mark.parametrize("key", [7, "seven", b"seven", np.int64(7), torch.tensor(7)])
def test_sample_ids_of_every_kind(key: Any) -> None:
    row = TOKENIZER(TEXT[0])["input_ids"]
    known = key.item() if isinstance(key, torch.Tensor) else key
    strategy = maskplug.strategy("static", rate=0.5)
    expected = reference_masks({known: row}, vocabulary(TOKENIZER), strategy, seed=3)
    batch = made(rate=0.5)([{"input_ids": row, "sample_id": key}])
    assert ids_of(batch) == [list(ids) for ids, _ in expected.values()]


def test_padding_changes_no_mask() -> None:
    plain = made(rate=0.4)(features())
    expected = ids_of(plain)
    assert ids_of(made(rate=0.4, tokenizer=tokenizers.bert(padding_side="left"))(features()))
    for side in ("left", "right"):
        tokenizer = tokenizers.bert(padding_side=side)
        assert ids_of(made(rate=0.4, tokenizer=tokenizer)(features())) == expected
        encoded = tokenizer(TEXT, padding="max_length", max_length=40)
        padded = [{name: encoded[name][i] for name in encoded} for i in range(len(TEXT))]
        batch = made(rate=0.4, tokenizer=tokenizer)(padded)
        assert batch["input_ids"].shape == (5, 40)
        assert batch["attention_mask"].tolist() == encoded["attention_mask"]
        assert ids_of(batch) == expected
        assert (batch["labels"][batch["attention_mask"] == 0] == -100).all()


def test_hidden_tokens_are_left_alone() -> None:
    row = TOKENIZER(TEXT[0])["input_ids"]
    visible = [1, 1, 1, 0, 0, 0] + [1] * (len(row) - 6)
    given = {"input_ids": row, "attention_mask": visible}
    batch = made(rate=1.0)([given, {"input_ids": row, "attention_mask": [0] * len(row)}])
    assert batch["input_ids"][0, 3:6].tolist() == row[3:6]
    assert (batch["labels"][0] == -100).tolist()[3:6] == [True] * 3
    assert (batch["labels"][1] == -100).all()


def test_special_tokens_mask_adds_to_the_specials() -> None:
    row = TOKENIZER(TEXT[0])["input_ids"]
    protect = [0] * 5 + [1] * (len(row) - 5)  # and not even [CLS], which stays special
    batch = made(rate=1.0)([{"input_ids": row, "special_tokens_mask": protect}])
    masked = (batch["labels"][0] != -100).tolist()
    assert masked == [False] + [True] * 4 + [False] * (len(row) - 5)
    assert "special_tokens_mask" not in batch


@pytest.mark.parametrize("none", [None, -1, float("nan")])
def test_word_ids_say_where_words_begin(none: Any) -> None:
    row = [2, *range(10, 22), 3]
    words: Any = [none, *np.repeat(range(4), 3).tolist(), none]
    words = np.array(words) if none != -1 and none is not None else words
    batch = made("whole_word", rate=0.4, clock="never")([{"input_ids": row, "word_ids": words}])
    masked = (batch["labels"][0, 1:-1] != -100).reshape(4, 3)
    assert (masked.all(1) == masked.any(1)).all()
    assert masked.any()
    assert "word_ids" not in batch


def test_other_columns_are_stacked() -> None:
    given = [
        {"input_ids": [2, 9, 3], "weight": 0.5, "domain": 1, "box": [1, 2]},
        {"input_ids": [2, 9, 8, 3], "weight": 1.5, "domain": 2, "box": [3, 4]},
    ]
    batch = made()(given)
    assert batch["weight"].tolist() == [0.5, 1.5]
    assert batch["domain"].dtype == torch.int64
    assert batch["box"].tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    "row", [[], [2], [7], [2, 3], [0, 0, 0], [2, 7, 3]], ids=lambda row: f"{len(row)}-{row}"
)
@pytest.mark.parametrize("strategy", ["dynamic", "whole_word", "span", "word_dropout", "none"])
def test_empty_and_special_rows(strategy: str, row: list[int]) -> None:
    options = {} if strategy == "none" else {"rate": 0.5, "clock": "never"}
    batch = made(strategy, **options)([{"input_ids": row}])
    assert batch["input_ids"].shape == (1, max(1, len(row)))  # no model takes a width of 0
    predicted = [label for label in batch["labels"][0].tolist() if label != -100]
    assert predicted in ([], [7])
    if 7 in row and strategy not in ("none", "word_dropout"):
        assert predicted == [7]


def test_features_and_random_generators_are_not_changed() -> None:
    given = [{k: np.array(v) for k, v in f.items()} for f in features()]
    copies = [{k: v.copy() for k, v in f.items()} for f in given]

    def state() -> tuple[Any, ...]:
        numpy = np.random.get_state()  # noqa: NPY002
        return random.getstate(), numpy[1].tolist(), numpy[2], torch.get_rng_state().tolist()

    before = state()
    made()(given)
    made("dynamic", rate=0.3).set_epoch(1)
    assert state() == before
    for one, copy in zip(given, copies, strict=True):
        assert all((one[name] == copy[name]).all() for name in copy)


def test_pickle_spec_and_repr() -> None:
    collator = made("dynamic", rate=0.2)
    collator.set_epoch(2)
    again = pickle.loads(pickle.dumps(collator))
    assert again(features())["labels"].tolist() == collator(features())["labels"].tolist()
    assert collator.spec == maskplug.strategy("dynamic", rate=0.2).spec
    assert collator.fingerprint in repr(collator)
    assert "seed=3" in repr(collator)
    assert made(collator.spec).fingerprint == collator.fingerprint


@pytest.mark.parametrize("context", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
def test_set_epoch_reaches_persistent_workers(context: str) -> None:
    collator = made("dynamic", rate=0.5)
    loader = DataLoader(
        features(),
        batch_size=2,
        collate_fn=collator,
        num_workers=1,
        persistent_workers=True,
        multiprocessing_context=context,
    )
    expected = made("dynamic", rate=0.5)
    for epoch in (0, 1, 5):
        collator.set_epoch(epoch)
        expected.set_epoch(epoch)
        rows = [row for batch in loader for row in ids_of(batch)]
        assert rows == ids_of(expected(features()))


def test_unattached_is_never_static_and_warns_once() -> None:
    collator = made("dynamic", rate=0.5)
    with pytest.warns(MaskplugWarning, match=r"attach\(trainer\).*set_epoch"):
        first = collator(features())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        second = collator(features())
    assert first["labels"].tolist() != second["labels"].tolist()
    with pytest.warns(MaskplugWarning):
        assert made("dynamic", rate=0.5)(features())["labels"].tolist() == first["labels"].tolist()


@pytest.mark.filterwarnings("ignore::maskplug.errors.MaskplugWarning")
@pytest.mark.parametrize("persistent", [False, True])
def test_unattached_workers_do_not_repeat_an_epoch(persistent: bool) -> None:
    loader = DataLoader(
        features(),
        batch_size=1,
        collate_fn=made("dynamic", rate=0.5),
        num_workers=2,
        persistent_workers=persistent,
    )
    epochs = [[ids_of(batch) for batch in loader] for _ in range(3)]
    for a, b in ((0, 1), (1, 2), (0, 2)):
        assert sum(x != y for x, y in zip(epochs[a], epochs[b], strict=True)) >= 4


def test_set_epoch_alone_does_not_freeze_a_clock_of_steps() -> None:
    collator = made("dynamic", rate=0.5, clock="step")
    collator.set_epoch(0)
    with pytest.warns(MaskplugWarning):
        assert collator(features())["labels"].tolist() != collator(features())["labels"].tolist()


@pytest.mark.parametrize("strategy", ["none", "static"])
def test_static_clocks_do_not_warn(strategy: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        collator = made(strategy)
        assert collator(features())["labels"].tolist() == collator(features())["labels"].tolist()


def test_set_epoch_gives_schedules_their_progress() -> None:
    rate = {"name": "linear", "start": 0.0, "end": 1.0}
    collator = made("dynamic", rate=rate)
    counts = []
    for epoch, progress in enumerate((0.0, 0.5, 1.0)):
        collator.set_epoch(epoch, progress)
        counts.append(int((collator(features())["labels"] != -100).sum()))
    assert counts[0] == 0
    assert counts[0] < counts[1] < counts[2] == sum(len(f["input_ids"]) - 2 for f in features())


def test_strategies_by_version_and_spec_and_vocabularies_by_hand() -> None:
    tokenizer = tokenizers.gpt2(pad_token="<|endoftext|>")
    vocab = vocabulary(tokenizer, mask_id=5)
    collator = made("static@1", tokenizer=tokenizer, vocabulary=vocab, rate=0.5, random=0.0)
    batch = collator(runs.dataset(4, sample_id=list("abcd")).remove_columns("text").to_list())
    assert (batch["input_ids"] == 5).any()
