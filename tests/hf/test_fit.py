"""Objectives and models that do not fit are refused, and the ways out lead out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import BertForSequenceClassification, GPT2Config, GPT2LMHeadModel, Trainer

from maskplug.errors import OptionError, VocabularyError
from maskplug_hf import DataCollatorForMasking, attach, vocabulary
from support import hf_models as models
from support import hf_runs as runs
from support import hf_strategies as strategies
from support import hf_tokenizers as tokenizers

TARGETS = "has no decoder to generate them"


@pytest.mark.parametrize(
    ("strategy", "family", "message"),
    [
        (strategies.deleted(), "bert", rf"'deleted@1'.*BertForMaskedLM {TARGETS}.*'dynamic'.*T5"),
        (strategies.fragment(), "xlnet", rf"XLNetLMHeadModel {TARGETS}.*'dynamic'"),
        (strategies.deleted("chosen"), "llama", rf"LlamaForCausalLM {TARGETS}.*'fim'"),
        (strategies.ordered(), "bert", r"BertForMaskedLM has no argument 'perm_mask'.*XLNet"),
        (strategies.ordered(), "llama", r"LlamaForCausalLM has no argument 'perm_mask'"),
        (
            strategies.causal(),
            "bert",
            r"each token from those before it, but BertForMaskedLM attends",
        ),
    ],
)
def test_unsuitable_models_are_refused_by_constructor_and_attach(
    strategy: Any, family: str, message: str, tmp_path: Path
) -> None:
    tokenizer, model = models.family(family)
    with pytest.raises(OptionError, match=message):
        DataCollatorForMasking(tokenizer, strategy, model=model)
    trainer = Trainer(
        model=model,
        args=runs.arguments(tmp_path),
        data_collator=DataCollatorForMasking(tokenizer, strategy),  # nothing is known of a model
        train_dataset=[{"input_ids": row} for row in models.rows(tokenizer)],
    )
    with pytest.raises(OptionError, match=message):
        attach(trainer)


@pytest.mark.parametrize("family", ["t5", "bart"])
@pytest.mark.parametrize("make", [strategies.weighted, strategies.ordered, strategies.causal])
def test_a_decoder_and_labels_in_place_at_the_first_batch(family: str, make: Any) -> None:
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
    model = BertForSequenceClassification(bert.config)
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
    return GPT2LMHeadModel(
        GPT2Config(vocab_size=len(tokenizer), n_embd=8, n_layer=1, n_head=1, n_positions=80)
    )


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
