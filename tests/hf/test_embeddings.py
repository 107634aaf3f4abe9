"""Tokenizers that are larger than the model's table of embeddings."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf
from transformers import Trainer

from maskplug.errors import MaskplugWarning, OptionError, TokenError
from maskplug_hf import DataCollatorForMasking, attach
from maskplug_hf.model import model_info
from support import hf_models as models
from support import hf_runs as runs
from support import hf_tokenizers as tokenizers

RANDOM: dict[str, Any] = {"rate": 1.0, "mask": 0.0, "random": 1.0, "clock": "never"}
REMEDY = r"model\.resize_token_embeddings\(len\(tokenizer\)\)"


def larger(name: str, **added: Any) -> tuple[Any, Any]:
    """A family's model, and its tokenizer with more tokens."""
    tokenizer, model = models.family(name)
    tokenizer.add_tokens([f"new{i}" for i in range(60)])
    if added:
        tokenizer.add_special_tokens(added)
    return tokenizer, model


def collator(tokenizer: Any, model: Any, way: str, folder: Path, *strategy: Any, **options: Any):
    """A collator that met the model at construction or when it was attached."""
    collate = DataCollatorForMasking(
        tokenizer, *strategy, model=model if way == "model" else None, **options
    )
    if way == "model":
        return collate
    trainer = Trainer(
        model=model,
        args=runs.arguments(folder),
        data_collator=collate,
        train_dataset=[{"input_ids": [5]}],
    )
    attach(trainer)
    return trainer.data_collator


@pytest.mark.parametrize("way", ["model", "attach"])
@pytest.mark.parametrize("name", ["bert", "roberta", "xlm", "xlnet", "llama"])
def test_random_tokens_are_those_of_the_model(name: str, way: str, tmp_path: Path) -> None:
    tokenizer, model = larger(name)
    size = model.get_input_embeddings().num_embeddings
    assert len(tokenizer) == size + 60
    with pytest.warns(
        MaskplugWarning, match=rf"has {size + 60} ids, but .* for {size}: .*{REMEDY}"
    ):
        collate = collator(tokenizer, model, way, tmp_path, "dynamic", **RANDOM)
    batch = collate([{"input_ids": row} for row in models.rows(tokenizer) * 20])
    assert batch["input_ids"].max() < size
    model(**batch)


@pytest.mark.parametrize("way", ["model", "attach"])
def test_samples_without_an_embedding_are_refused(way: str, tmp_path: Path) -> None:
    tokenizer, model = larger("bert")
    with pytest.warns(MaskplugWarning):
        collate = collator(tokenizer, model, way, tmp_path, "static")
    row = [*models.rows(tokenizer)[0], len(tokenizer) - 1]
    with pytest.raises(TokenError, match=rf"id {row[-1]} \(sample 1, position .*{REMEDY}"):
        collate([{"input_ids": row[:-1]}, {"input_ids": row}])


@pytest.mark.parametrize("way", ["model", "attach"])
@pytest.mark.parametrize(
    ("name", "added", "strategy", "message"),
    [
        ("llama", {"mask_token": "<newmask>"}, "dynamic", "'dynamic@1' writes tokens"),
        ("llama", {"mask_token": "<newmask>"}, "bert", "'bert@1' writes tokens"),
        ("bert", {"pad_token": "<newpad>"}, "dynamic", "batches are padded with the id"),
        (
            "llama",
            {"additional_special_tokens": ["<fim_prefix>", "<fim_middle>", "<fim_suffix>"]},
            "fim",
            "'fim@1' writes tokens",
        ),
        (
            "bart",
            {"additional_special_tokens": [f"<extra_id_{i}>" for i in range(9)]},
            "t5",
            "'t5@1' writes tokens",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore::maskplug.errors.MaskplugWarning")
def test_tokens_to_write_without_an_embedding_are_refused(
    name: str, added: Any, strategy: str, message: str, way: str, tmp_path: Path
) -> None:
    tokenizer, model = larger(name, **added)
    with pytest.raises(OptionError, match=rf"{message}.* only for the ids below .*: call {REMEDY}"):
        collator(tokenizer, model, way, tmp_path, strategy)
    model.resize_token_embeddings(len(tokenizer))
    with warnings.catch_warnings():
        warnings.simplefilter("error", MaskplugWarning)
        collator(tokenizer, model, way, tmp_path, strategy)


@pytest.mark.parametrize("way", ["model", "attach"])
@pytest.mark.parametrize("more", [0, 7, 64])
def test_more_embeddings_than_ids_are_allowed(way: str, more: int, tmp_path: Path) -> None:
    tokenizer, model = models.family("bert")
    model.resize_token_embeddings(len(tokenizer) + more)
    with warnings.catch_warnings():
        warnings.simplefilter("error", MaskplugWarning)
        collate = collator(tokenizer, model, way, tmp_path, "dynamic", **RANDOM)
    plain = DataCollatorForMasking(tokenizer, "dynamic", **RANDOM)
    given = [{"input_ids": row, "sample_id": i} for i, row in enumerate(models.rows(tokenizer))]
    assert torch.equal(collate(given)["input_ids"], plain(given)["input_ids"])


def test_attach_uses_embeddings_added_after_construction(tmp_path: Path) -> None:
    tokenizer, model = models.family("bert")
    collate = DataCollatorForMasking(tokenizer, "static", model=model)
    model.resize_token_embeddings(len(tokenizer) - 20)
    trainer = Trainer(
        model=model, args=runs.arguments(tmp_path), data_collator=collate, train_dataset=[[5]]
    )
    with pytest.warns(MaskplugWarning, match=REMEDY):
        attach(trainer)
    with warnings.catch_warnings():
        warnings.simplefilter("error", MaskplugWarning)
        attach(trainer)


def test_resizing_before_attach_gives_back_all_tokens(tmp_path: Path) -> None:
    tokenizer, model = larger("bert")
    with pytest.warns(MaskplugWarning, match=REMEDY):
        collate = DataCollatorForMasking(tokenizer, "dynamic", model=model, **RANDOM)
    model.resize_token_embeddings(len(tokenizer))
    trainer = Trainer(
        model=model, args=runs.arguments(tmp_path), data_collator=collate, train_dataset=[[5]]
    )
    attach(trainer)
    assert len(trainer.data_collator.vocabulary.ordinary) == len(collate.vocabulary.ordinary) + 60


def test_models_without_an_embedding_table_are_accepted() -> None:
    sizes = {**models.ENCODER, "local_transformer_stride": 8}
    canine = hf.CanineForTokenClassification(hf.CanineConfig(**sizes))
    assert model_info(canine).embeddings is None
    assert model_info(torch.nn.Linear(2, 2)).embeddings is None
    byt5 = hf.T5ForConditionalGeneration(hf.T5Config(vocab_size=384, **models.T5))
    assert model_info(byt5).embeddings == 384
    assert len(hf.ByT5Tokenizer()) <= 384
    with warnings.catch_warnings():
        warnings.simplefilter("error", MaskplugWarning)
        DataCollatorForMasking(hf.ByT5Tokenizer(), "t5", model=byt5)
    tokenizer = tokenizers.bert()
    DataCollatorForMasking(tokenizer, "static", model=canine)
