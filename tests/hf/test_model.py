"""Models that do not fit the objective or the tokenizer are refused, and the remedies work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf

from maskplug.errors import MaskplugWarning, OptionError, TokenError, VocabularyError
from maskplug_hf import DataCollatorForMasking, attach, vocabulary
from maskplug_hf.model import model_info
from support import hf_models as models
from support import hf_runs as runs
from support import hf_strategies as strategies
from support import hf_tokenizers as tokenizers
from support.hf_runs import no_warning

TARGETS = "has no decoder to generate them"
RANDOM: dict[str, Any] = {"rate": 1.0, "mask": 0.0, "random": 1.0, "clock": "never"}
FIM = ["<fim_prefix>", "<fim_middle>", "<fim_suffix>"]
SENTINELS = [f"<extra_id_{i}>" for i in range(9)]
REMEDY = r"model\.resize_token_embeddings\(len\(tokenizer\)\)"
ways = pytest.mark.parametrize("way", ["model", "attach"])


# --- objectives ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("strategy", "family", "message"),
    [
        (strategies.deleted(), "bert", rf"'deleted@1'.*BertForMaskedLM {TARGETS}.*'dynamic'.*T5"),
        (strategies.fragment(), "xlnet", rf"XLNetLMHeadModel {TARGETS}.*'dynamic'"),
        (strategies.deleted("chosen"), "llama", rf"LlamaForCausalLM {TARGETS}.*'fim'"),
        (strategies.ordered(), "bert", r"BertForMaskedLM has no argument 'perm_mask'.*XLNet"),
        (strategies.ordered(), "llama", r"LlamaForCausalLM has no argument 'perm_mask'"),
        (strategies.causal(), "bert", "each token from those before it, but BertForMaskedLM at"),
    ],
)
@ways
def test_unsuitable_models_are_refused(
    strategy: Any, family: str, message: str, way: str, tmp_path: Path
) -> None:
    tokenizer, model = models.family(family)
    with pytest.raises(OptionError, match=message):
        runs.collator_for(tokenizer, model, way, tmp_path, strategy)


@pytest.mark.parametrize("family", ["t5", "bart"])
@pytest.mark.parametrize("make", [strategies.weighted, strategies.ordered, strategies.causal])
def test_labels_in_place_for_a_decoder_are_refused_at_the_first_batch(
    family: str, make: Any
) -> None:
    tokenizer, model = models.family(family)
    vocab = vocabulary(tokenizer, mask_id=tokenizer.unk_token_id)
    collate = DataCollatorForMasking(tokenizer, make(), model=model, vocabulary=vocab)
    rows = models.rows(tokenizer)
    with pytest.raises(OptionError, match=rf"in place, but {type(model).__name__} .*'t5', 'bart'"):
        collate([{"input_ids": row} for row in rows])
    batch = collate([{"input_ids": row, "labels": row[:4]} for row in rows])
    assert batch["labels"].tolist() == [row[:4] for row in rows]
    assert batch["decoder_input_ids"].shape == (5, 4)


def test_a_model_that_predicts_no_tokens_needs_labels_of_its_own() -> None:
    tokenizer, bert = models.family("bert")
    model = hf.BertForSequenceClassification(bert.config)
    collate = DataCollatorForMasking(tokenizer, strategies.deleted(), model=model)
    rows = models.rows(tokenizer)
    batch = collate([{"input_ids": row, "label": 1} for row in rows])
    assert batch["labels"].tolist() == [1] * 5
    with pytest.raises(OptionError, match=f"BertForSequenceClassification {TARGETS}"):
        collate([{"input_ids": row} for row in rows])


def test_few_unchanged_tokens_are_not_a_causal_objective() -> None:
    tokenizer, model = models.family("bert")
    kept = {"rate": 1.0, "mask": 0.0, "random": 0.0, "clock": "never"}
    with pytest.raises(OptionError, match="would copy its inputs"):
        DataCollatorForMasking(tokenizer, "dynamic", model=model, **kept)
    collate = DataCollatorForMasking(tokenizer, "static", model=model, mask=0.0, random=0.2)
    assert all((collate([[word]])["labels"] == word).all() for word in range(7, 40))


def gpt2(tokenizer: Any) -> Any:
    size = {"n_embd": 8, "n_layer": 1, "n_head": 1, "n_positions": 80}
    return hf.GPT2LMHeadModel(hf.GPT2Config(vocab_size=len(tokenizer), **size))


@pytest.mark.parametrize("way", ["added", "mask_id", "vocabulary", "none"])
def test_remedies_for_a_tokenizer_without_a_mask(way: str) -> None:
    tokenizer = tokenizers.gpt2(pad_token="<|endoftext|>")
    model = gpt2(tokenizer)
    with pytest.raises(VocabularyError) as error:
        DataCollatorForMasking(tokenizer, "static", model=model)
    assert all(word in str(error.value) for word in ("add_special_tokens", "resize_", "mask_id="))
    options: dict[str, Any] = {}
    if way == "added":
        tokenizer.add_special_tokens({"mask_token": "<mask>"})
        model.resize_token_embeddings(len(tokenizer))
    elif way == "mask_id":
        options["mask_id"] = 5
    elif way == "vocabulary":
        options["vocabulary"] = vocabulary(tokenizer, mask_id=5)
    else:
        options |= {"mask": 0.0, "random": 1.0}
    collate = DataCollatorForMasking(tokenizer, "static", model=model, **options)
    batch = collate([{"input_ids": row} for row in models.rows(tokenizer)])
    assert torch.isfinite(model(**batch).loss)
    if way != "none":
        assert (batch["input_ids"] == (tokenizer.mask_token_id or 5)).any()


def test_mask_id_and_vocabulary_exclude_each_other() -> None:
    tokenizer = tokenizers.gpt2(pad_token="<|endoftext|>")
    vocab = vocabulary(tokenizer, mask_id=5)
    with pytest.raises(OptionError, match="mask_id or a vocabulary"):
        DataCollatorForMasking(tokenizer, vocabulary=vocab, mask_id=5)
    with pytest.raises(VocabularyError, match="mask_id 9999 is outside"):
        DataCollatorForMasking(tokenizer, mask_id=9999)


def test_in_place_labels_for_a_causal_model_are_allowed() -> None:
    tokenizer, model = models.family("llama")
    batch = DataCollatorForMasking(tokenizer, "static", model=model)(models.rows(tokenizer))
    assert np.isfinite(model(**batch).loss.item())


# --- tokenizers that are larger than the model's table of embeddings -----------------------------


def larger(name: str, **added: Any) -> tuple[Any, Any]:
    """A family's model, and its tokenizer with more tokens."""
    tokenizer, model = models.family(name)
    tokenizer.add_tokens([f"new{i}" for i in range(60)])
    if added:
        tokenizer.add_special_tokens(added)
    return tokenizer, model


@ways
@pytest.mark.parametrize("name", ["bert", "roberta", "xlm", "xlnet", "llama"])
def test_random_tokens_are_those_of_the_model(name: str, way: str, tmp_path: Path) -> None:
    tokenizer, model = larger(name)
    size = model.get_input_embeddings().num_embeddings
    assert len(tokenizer) == size + 60
    with pytest.warns(
        MaskplugWarning, match=rf"has {size + 60} ids, but .* for {size}: .*{REMEDY}"
    ):
        collate = runs.collator_for(tokenizer, model, way, tmp_path, "dynamic", **RANDOM)
    batch = collate([{"input_ids": row} for row in models.rows(tokenizer) * 20])
    assert batch["input_ids"].max() < size
    model(**batch)


@ways
def test_samples_without_an_embedding_are_refused(way: str, tmp_path: Path) -> None:
    tokenizer, model = larger("bert")
    with pytest.warns(MaskplugWarning):
        collate = runs.collator_for(tokenizer, model, way, tmp_path, "static")
    row = [*models.rows(tokenizer)[0], len(tokenizer) - 1]
    with pytest.raises(TokenError, match=rf"id {row[-1]} \(sample 1, position .*{REMEDY}"):
        collate([{"input_ids": row[:-1]}, {"input_ids": row}])


@ways
@pytest.mark.parametrize(
    ("name", "added", "strategy", "message"),
    [
        ("llama", {"mask_token": "<newmask>"}, "dynamic", "'dynamic@1' writes tokens"),
        ("llama", {"mask_token": "<newmask>"}, "bert", "'bert@1' writes tokens"),
        ("bert", {"pad_token": "<newpad>"}, "dynamic", "batches are padded with the id"),
        ("llama", {"additional_special_tokens": FIM}, "fim", "'fim@1' writes tokens"),
        ("bart", {"additional_special_tokens": SENTINELS}, "t5", "'t5@1' writes tokens"),
    ],
)
@pytest.mark.filterwarnings("ignore::maskplug.errors.MaskplugWarning")
def test_tokens_to_write_without_an_embedding_are_refused(
    name: str, added: Any, strategy: str, message: str, way: str, tmp_path: Path
) -> None:
    tokenizer, model = larger(name, **added)
    with pytest.raises(OptionError, match=rf"{message}.* only for the ids below .*: call {REMEDY}"):
        runs.collator_for(tokenizer, model, way, tmp_path, strategy)
    model.resize_token_embeddings(len(tokenizer))
    with no_warning():
        runs.collator_for(tokenizer, model, way, tmp_path, strategy)


@ways
@pytest.mark.parametrize("more", [0, 7, 64])
def test_more_embeddings_than_ids_are_allowed(way: str, more: int, tmp_path: Path) -> None:
    tokenizer, model = models.family("bert")
    model.resize_token_embeddings(len(tokenizer) + more)
    with no_warning():
        collate = runs.collator_for(tokenizer, model, way, tmp_path, "dynamic", **RANDOM)
    plain = DataCollatorForMasking(tokenizer, "dynamic", **RANDOM)
    samples = [{"input_ids": row, "sample_id": i} for i, row in enumerate(models.rows(tokenizer))]
    assert torch.equal(collate(samples)["input_ids"], plain(samples)["input_ids"])


def test_attach_uses_the_embeddings_at_that_time(tmp_path: Path) -> None:
    tokenizer, model = larger("bert")
    with pytest.warns(MaskplugWarning, match=REMEDY):
        collate = DataCollatorForMasking(tokenizer, "dynamic", model=model, **RANDOM)
    trainer = runs.plain_trainer(tmp_path, collate, [[5]], learner=model)
    size = len(collate.vocabulary.ordinary)
    for added in (60, 40):
        model.resize_token_embeddings(len(tokenizer) - 60 + added)
        expectation = no_warning() if added == 60 else pytest.warns(MaskplugWarning, match=REMEDY)
        with expectation:
            attach(trainer)
        with no_warning():
            attach(trainer)
        assert len(trainer.data_collator.vocabulary.ordinary) == size + added


def test_models_without_an_embedding_table_are_accepted() -> None:
    sizes = {**models.ENCODER, "local_transformer_stride": 8}
    canine = hf.CanineForTokenClassification(hf.CanineConfig(**sizes))
    assert model_info(canine).embeddings is None
    assert model_info(torch.nn.Linear(2, 2)).embeddings is None
    byt5 = hf.T5ForConditionalGeneration(hf.T5Config(vocab_size=384, **models.T5))
    assert model_info(byt5).embeddings == 384
    assert len(hf.ByT5Tokenizer()) <= 384
    with no_warning():
        DataCollatorForMasking(hf.ByT5Tokenizer(), "t5", model=byt5)
    tokenizer = tokenizers.bert()
    DataCollatorForMasking(tokenizer, "static", model=canine)
