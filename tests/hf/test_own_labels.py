"""Labels of the features beside what the strategy wants predicted."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from transformers import Trainer

from maskplug.errors import MaskplugWarning, TokenError
from maskplug_hf import DataCollatorForMasking, attach
from maskplug_hf.packing import DataCollatorForPacking
from support import hf_models as models
from support import hf_runs as runs
from support import hf_tokenizers as tokenizers

FIM = ["<fim_prefix>", "<fim_middle>", "<fim_suffix>"]
Row = list[int]
LABELS: dict[str, Callable[[Row], Row]] = {
    "copies": list,
    "answers": lambda row: [-100] * 3 + row[3:],
    "others": lambda row: [7] * len(row),
}


@pytest.fixture(scope="module")
def family() -> Any:
    found = {name: models.family(name) for name in ("bert", "xlnet", "llama", "t5", "bart")}
    tokenizer, llama = found["llama"]
    tokenizer.add_special_tokens({"additional_special_tokens": FIM})
    llama.resize_token_embeddings(len(tokenizer))
    return found.__getitem__


def features(tokenizer: Any, labels: Callable[[Row], Row] | None) -> list[dict[str, Row]]:
    rows = models.rows(tokenizer)
    return [{"input_ids": row} | ({"labels": labels(row)} if labels else {}) for row in rows]


def collated(
    tokenizer: Any, strategy: str, model: Any, given: Any, way: str, folder: Path, **options: Any
) -> Any:
    """A batch of a collator that is told of the model or not, or of an attached trainer."""
    collate = DataCollatorForMasking(
        tokenizer, strategy, model=model if way == "model" else None, **options
    )
    if way != "attach":
        collate.set_epoch(0)
        return collate(given)
    trainer = Trainer(
        model=model,
        args=runs.arguments(folder, per_device_train_batch_size=5),
        data_collator=collate,
        train_dataset=[{**row, "sample_id": i} for i, row in enumerate(given)],
    )
    attach(trainer)
    return next(iter(trainer.get_train_dataloader()))


OBJECTIVES = [("llada", "bert"), ("mdlm", "bert"), ("permutation", "xlnet"), ("fim", "llama")]
OBJECTIVES += [("t5", "t5"), ("mass", "bart")]
WAYS = ["model", "attach", "unknown"]


@pytest.mark.parametrize(("strategy", "name"), OBJECTIVES)
@pytest.mark.parametrize("way", WAYS)
def test_objectives_replace_copies_of_the_inputs(
    strategy: str, name: str, way: str, family: Any, tmp_path: Path
) -> None:
    tokenizer, model = family(name)
    torch.manual_seed(0)
    plain = collated(tokenizer, strategy, model, features(tokenizer, None), way, tmp_path)
    torch.manual_seed(0)
    with pytest.warns(
        MaskplugWarning, match=r"equal to their input_ids; strategy .* which is trained"
    ):
        batch = collated(tokenizer, strategy, model, features(tokenizer, list), way, tmp_path)
    assert batch.keys() == plain.keys()
    assert all(torch.equal(batch[key], plain[key]) for key in plain)


@pytest.mark.parametrize(("strategy", "name"), OBJECTIVES)
@pytest.mark.parametrize("way", WAYS)
def test_labels_of_answers_are_refused(
    strategy: str, name: str, way: str, family: Any, tmp_path: Path
) -> None:
    tokenizer, model = family(name)
    given = features(tokenizer, LABELS["answers"])
    with pytest.raises(TokenError, match=r"remove_columns\('labels'\).*answer mask.*'protected'"):
        collated(tokenizer, strategy, model, given, way, tmp_path)


@pytest.mark.parametrize(("strategy", "name"), OBJECTIVES[:4])
@pytest.mark.parametrize("way", ["model", "attach"])
def test_other_labels_of_tokens_are_refused(
    strategy: str, name: str, way: str, family: Any, tmp_path: Path
) -> None:
    tokenizer, model = family(name)
    with pytest.raises(
        TokenError, match=rf"strategy '{strategy}@1' has its own objective .*\): to train"
    ):
        collated(tokenizer, strategy, model, features(tokenizer, LABELS["others"]), way, tmp_path)


def test_the_answer_mask_of_the_message_masks_answers_only(family: Any) -> None:
    tokenizer, model = family("bert")
    given = features(tokenizer, LABELS["answers"])
    masks = [
        {
            "input_ids": row["input_ids"],
            "protected": [int(label == -100) for label in row["labels"]],
        }
        for row in given
    ]
    collate = DataCollatorForMasking(tokenizer, "llada", model=model)
    collate.set_epoch(0)
    batch = collate(masks)
    assert (batch["labels"][:, :3] == -100).all()
    assert (batch["labels"] != -100).any()


@pytest.mark.parametrize("strategy", ["electra", "dynamic", "span", "bert"])
@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("way", ["model", "attach"])
def test_labels_in_place_are_kept_with_a_warning(
    strategy: str, labels: str, way: str, family: Any, tmp_path: Path
) -> None:
    tokenizer, model = family("bert")
    given = features(tokenizer, LABELS[labels])
    with pytest.warns(MaskplugWarning, match=r"kept.*remove the column 'labels'"):
        batch = collated(tokenizer, strategy, model, given, way, tmp_path)
    kept = sorted(tuple(row["labels"]) for row in given)
    seen = zip(batch["labels"].tolist(), batch["attention_mask"].sum(1).tolist(), strict=True)
    assert sorted(tuple(row[:n]) for row, n in seen) == kept


PAIRS = [("word_dropout", "bart"), ("deshuffle", "bart"), ("t5", "t5"), ("bart", "bart")]


@pytest.mark.parametrize(("strategy", "name"), PAIRS)
@pytest.mark.parametrize("way", ["model", "attach"])
def test_texts_to_generate_are_kept_without_a_warning(
    strategy: str, name: str, way: str, family: Any, tmp_path: Path
) -> None:
    tokenizer, model = family(name)
    given = features(tokenizer, lambda row: row[2:6])
    options = {"sentence_starts": [1]} if strategy == "bart" else {}
    for row in given:
        row.update({key: value * len(row["input_ids"]) for key, value in options.items()})
    with warnings.catch_warnings():
        warnings.simplefilter("error", MaskplugWarning)
        batch = collated(tokenizer, strategy, model, given, way, tmp_path)
    assert sorted(batch["labels"].tolist()) == sorted(row["labels"] for row in given)
    assert "decoder_input_ids" in batch


def test_texts_as_long_as_their_sources_are_kept_with_a_warning(family: Any) -> None:
    tokenizer, model = family("t5")
    given = features(tokenizer, LABELS["others"])
    collate = DataCollatorForMasking(tokenizer, "t5", model=model)
    collate.set_epoch(0)
    with pytest.warns(MaskplugWarning, match=r"own objective \(targets\)\. .* are trained"):
        batch = collate(given)
    assert set(batch["labels"].unique().tolist()) == {7, -100}


def test_own_labels_that_are_the_targets_need_no_warning(family: Any) -> None:
    tokenizer, model = family("bart")
    collate = DataCollatorForMasking(tokenizer, "deshuffle", model=model)
    collate.set_epoch(0)
    with warnings.catch_warnings():
        warnings.simplefilter("error", MaskplugWarning)
        collate(features(tokenizer, list))


@pytest.mark.parametrize(("strategy", "name"), OBJECTIVES[:4])
def test_copies_are_evaluated_like_training_data(
    strategy: str, name: str, family: Any, tmp_path: Path
) -> None:
    tokenizer, model = family(name)
    batches = []
    for labels in (None, list):
        trainer = Trainer(
            model=model,
            args=runs.arguments(tmp_path, per_device_eval_batch_size=5),
            data_collator=DataCollatorForMasking(tokenizer, strategy),
            eval_dataset=features(tokenizer, labels),
        )
        attach(trainer)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MaskplugWarning)
            batches.append(next(iter(trainer.get_eval_dataloader())))
    plain, copies = batches
    assert plain.keys() == copies.keys()
    assert all(torch.equal(plain[key], copies[key]) for key in plain)


# --- labels that belong to tokens ----------------------------------------------------------------

LABELLED = ["fim", "dynamic", "word_dropout"]
MOVING = list(itertools.product(["shuffle", "deshuffle", *LABELLED], ["model", "attach"]))
MOVING += [(strategy, "packed") for strategy in LABELLED]  # targets are not packed


def tagger(name: str, tokenizer: Any) -> Any:
    if name == "bert":
        return hf.BertForTokenClassification(
            hf.BertConfig(vocab_size=len(tokenizer), num_labels=200, **models.ENCODER)
        )
    if name == "t5":
        config = hf.T5Config(vocab_size=len(tokenizer), num_labels=200, **models.T5)
        return hf.T5ForTokenClassification(config)
    config = hf.LlamaConfig(
        vocab_size=len(tokenizer), num_labels=200, pad_token_id=1, **models.ENCODER
    )
    return hf.LlamaForTokenClassification(config)


@pytest.mark.parametrize(("strategy", "way"), MOVING)
@pytest.mark.parametrize("name", ["bert", "llama", "t5"])
def test_tags_follow_their_tokens(strategy: str, way: str, name: str, tmp_path: Path) -> None:
    tokenizer = tokenizers.roberta()
    tokenizer.add_special_tokens({"additional_special_tokens": FIM})
    # Each row has each token once, so that its tag tells which token it was.
    given = [{"input_ids": list(range(20 + i, 32 + 2 * i))} for i in range(5)]
    for row in given:
        row["labels"] = [i + 1 for i in row["input_ids"]]
    model = tagger(name, tokenizer)
    if way == "packed":
        collate = DataCollatorForPacking(tokenizer, strategy, max_length=40, clock="never")
        batch = collate(given)
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("error", MaskplugWarning)
            batch = collated(tokenizer, strategy, model, given, way, tmp_path, clock="never")
    ids, labels = batch["input_ids"], batch["labels"]
    assert ids.shape == labels.shape
    written = (ids < 20) | (ids >= tokenizer.vocab_size)  # masks, new tokens, padding
    moved = labels[~written] - ids[~written]
    if strategy == "dynamic":  # some tokens are random ones
        assert (moved == 1).float().mean() > 0.9
    else:
        assert (moved == 1).all()
    new = torch.isin(ids, torch.tensor(tokenizer.convert_tokens_to_ids(FIM)))
    assert (labels[new] == -100).all()
    assert (labels != -100).sum() == sum(len(row["labels"]) for row in given)


@pytest.mark.parametrize("strategy", ["shuffle", "fim"])
def test_tags_without_a_model_are_ambiguous_where_tokens_move(strategy: str) -> None:
    tokenizer = tokenizers.roberta()
    tokenizer.add_special_tokens({"additional_special_tokens": FIM})
    given = features(tokenizer, lambda row: [1] * len(row))
    collate = DataCollatorForMasking(tokenizer, strategy, clock="never")
    with (
        pytest.warns(MaskplugWarning, match="one label for each token"),
        pytest.raises(
            TokenError, match=r"moves tokens.* pass the model to the collator \(model=\)"
        ),
    ):
        collate(given)


def test_tags_without_a_model_are_kept_if_tokens_do_not_move() -> None:
    tokenizer = tokenizers.bert()
    given = features(tokenizer, lambda row: [1] * len(row))
    with warnings.catch_warnings():
        warnings.simplefilter("error", MaskplugWarning)
        batch = DataCollatorForMasking(tokenizer, "static")(given)
    assert torch.equal(batch["labels"] == 1, batch["attention_mask"] == 1)


def test_other_columns_with_a_value_per_token_are_refused_if_tokens_move() -> None:
    tokenizer = tokenizers.roberta()
    rows = [list(range(20, 30)), list(range(30, 40))]
    model = tagger("bert", tokenizer)
    for name, values in (("bbox", [[1, 2, 3, 4]] * 10), ("labels", [0.5] * 10)):
        given = [{"input_ids": row, name: values} for row in rows]
        collate = DataCollatorForMasking(tokenizer, "shuffle", clock="never", model=model)
        if name != "labels":
            given = [{**row, "labels": [1] * 10} for row in given]
        with pytest.raises(TokenError, match=f"column '{name}' has one value for each token"):
            collate(given)
        still = DataCollatorForMasking(tokenizer, "static", model=model)
        assert np.asarray(still(given)[name]).shape[:2] == (2, 10)


@pytest.mark.parametrize(("way", "label"), [*itertools.product(["model", "attach"], [1, 0.5])])
def test_single_labels_are_kept_without_a_warning(way: str, label: float, tmp_path: Path) -> None:
    tokenizer = tokenizers.bert()
    model = hf.BertForSequenceClassification(
        hf.BertConfig(vocab_size=len(tokenizer), **models.ENCODER)
    )
    given: Any = [{"input_ids": row, "label": label} for row in models.rows(tokenizer)]
    with warnings.catch_warnings():
        warnings.simplefilter("error", MaskplugWarning)
        batch = collated(tokenizer, "llada", model, given, way, tmp_path)
    assert batch["labels"].tolist() == [label] * 5
    assert "loss_weights" not in batch
