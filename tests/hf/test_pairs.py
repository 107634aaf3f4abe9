"""Samples with labels of their own: only the inputs are masked."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertForTokenClassification,
    MarianConfig,
    MarianMTModel,
    Seq2SeqTrainer,
    Seq2SeqTrainingArguments,
    T5Config,
    T5ForConditionalGeneration,
    Trainer,
)

from maskplug.errors import MaskplugWarning, TokenError
from maskplug_hf import DataCollatorForMasking, attach, vocabulary
from support import hf_runs as runs
from support import hf_tokenizers as tokenizers

SMALL = {"d_model": 8, "encoder_layers": 1, "decoder_layers": 1}
SMALL |= {"encoder_attention_heads": 1, "decoder_attention_heads": 1}


def t5(tokenizer: Any) -> Any:
    small = {"d_model": 8, "d_kv": 4, "d_ff": 8, "num_layers": 1, "num_heads": 1}
    return T5ForConditionalGeneration(
        T5Config(vocab_size=len(tokenizer), decoder_start_token_id=0, **small)
    )


def marian(tokenizer: Any) -> Any:
    ids = {"pad_token_id": tokenizer.pad_token_id, "eos_token_id": 0, "forced_eos_token_id": 0}
    ids["decoder_start_token_id"] = tokenizer.pad_token_id
    config = MarianConfig(
        vocab_size=len(tokenizer), encoder_ffn_dim=8, decoder_ffn_dim=8, **SMALL, **ids
    )
    return MarianMTModel(config)


def pairs(tokenizer: Any, form: Any = list) -> list[dict[str, Any]]:
    texts = tokenizers.TEXT[:5]
    encoded = tokenizer(texts, text_target=[text[:20] for text in reversed(texts)])
    return [{name: form(encoded[name][i]) for name in encoded} for i in range(len(texts))]


def make(family: str, folder: Path) -> tuple[Any, Any]:
    tokenizer = tokenizers.t5() if family == "t5" else tokenizers.marian(folder)
    return tokenizer, (t5 if family == "t5" else marian)(tokenizer)


def collator(tokenizer: Any, model: Any, **options: Any) -> DataCollatorForMasking:
    vocab = vocabulary(tokenizer, mask_id=tokenizer.unk_token_id)
    options = {"rate": 0.5, "clock": "never", "model": model, "vocabulary": vocab, **options}
    return DataCollatorForMasking(tokenizer, "word_dropout", **options)


@pytest.mark.parametrize("family", ["t5", "marian"])
@pytest.mark.parametrize("form", [list, np.array, torch.tensor])
@pytest.mark.parametrize("kind", ["pt", "np"])
def test_labels_stay_and_inputs_are_masked(
    tmp_path: Path, family: str, form: Any, kind: str
) -> None:
    tokenizer, model = make(family, tmp_path)
    given = pairs(tokenizer)
    batch = collator(tokenizer, model, return_tensors=kind, pad_to_multiple_of=4)(
        pairs(tokenizer, form)
    )
    names = {"input_ids", "attention_mask", "labels", "decoder_input_ids"}
    assert set(batch) == names
    width = -(-max(len(pair["labels"]) for pair in given) // 4) * 4
    padded = [pair["labels"] + [-100] * (width - len(pair["labels"])) for pair in given]
    assert batch["labels"].tolist() == padded
    shifted = model.prepare_decoder_input_ids_from_labels(labels=torch.tensor(padded))
    assert batch["decoder_input_ids"].tolist() == shifted.tolist()
    for row, pair in zip(batch["input_ids"].tolist(), given, strict=True):
        changed = [a != b for a, b in zip(row, pair["input_ids"], strict=False)]
        assert any(changed)
        written = {a for a, b in zip(row, changed, strict=False) if b}
        assert written == {tokenizer.unk_token_id}
        assert row[len(pair["input_ids"]) - 1] == tokenizer.eos_token_id


def test_without_a_model_no_decoder_inputs() -> None:
    tokenizer = tokenizers.t5()
    assert set(collator(tokenizer, None)(pairs(tokenizer))) == {
        "input_ids",
        "attention_mask",
        "labels",
    }


def seq2seq_arguments(folder: Path) -> Any:
    return Seq2SeqTrainingArguments(
        output_dir=str(folder),
        use_cpu=True,
        report_to=[],
        disable_tqdm=True,
        save_strategy="no",
        max_steps=3,
        per_device_train_batch_size=2,
        per_device_eval_batch_size=2,
    )


@pytest.mark.parametrize("family", ["t5", "marian"])
def test_pairs_train(tmp_path: Path, family: str) -> None:
    tokenizer, model = make(family, tmp_path)
    data = pairs(tokenizer)
    trainer = Seq2SeqTrainer(
        model=model,
        args=seq2seq_arguments(tmp_path),
        data_collator=collator(tokenizer, model, clock="epoch"),
        train_dataset=data,
        eval_dataset=data,
    )
    attach(trainer)
    assert np.isfinite(trainer.train().training_loss)
    assert trainer.evaluate()["eval_loss"] == trainer.evaluate()["eval_loss"]


def bert_config(**options: Any) -> BertConfig:
    return BertConfig(**runs.model().config.to_diff_dict() | options)


@pytest.mark.parametrize("name", ["label", "labels", "label_ids"])
@pytest.mark.parametrize(
    ("values", "dtype"),
    [([0, 1, 1], torch.int64), ([0.5, 1.0, 2.0], torch.float32), ([[0.0, 1.0]] * 3, torch.float32)],
)
def test_labels_of_classification(name: str, values: list[Any], dtype: torch.dtype) -> None:
    rows = runs.rows(3)
    given = [{"input_ids": row, name: value} for row, value in zip(rows, values, strict=True)]
    batch = DataCollatorForMasking(tokenizers.bert(), "static", rate=0.5)(given)
    assert set(batch) == {"input_ids", "attention_mask", "labels"}
    assert batch["labels"].tolist() == values
    assert batch["labels"].dtype == dtype
    assert (batch["input_ids"] == tokenizers.bert().mask_token_id).any()


def test_classification_trains(tmp_path: Path) -> None:
    data = runs.dataset(16, label=[0, 1] * 8)
    trainer = Trainer(
        model=BertForSequenceClassification(bert_config(num_labels=2)),
        args=runs.arguments(tmp_path, max_steps=3),
        data_collator=runs.collator(),
        train_dataset=data,
    )
    attach(trainer)
    assert np.isfinite(trainer.train().training_loss)


def test_tags_are_padded_like_the_inputs() -> None:
    tokenizer = tokenizers.bert(padding_side="left")
    given = [{"input_ids": row, "labels": [1] * len(row)} for row in runs.rows(5)]
    model = BertForTokenClassification(bert_config(num_labels=3))
    collate = DataCollatorForMasking(tokenizer, "static", rate=0.5, model=model)
    batch = collate(given)
    assert torch.equal(batch["labels"] == 1, batch["attention_mask"] == 1)
    given[2]["labels"] = [1, 1]
    with pytest.raises(TokenError, match=r"feature 2 has 2 labels for .* BertForTok"):
        collate(given)


def test_labels_that_copy_the_inputs_are_warned_of_once() -> None:
    given = [{"input_ids": row, "labels": list(row)} for row in runs.rows(4)]
    collate = DataCollatorForMasking(tokenizers.bert(), "static", rate=0.5)
    with pytest.warns(MaskplugWarning, match="remove the column 'labels'"):
        batch = collate(given)
    assert batch["labels"][0, : len(given[0]["labels"])].tolist() == given[0]["labels"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        collate(given)


def test_a_model_with_a_decoder_may_reconstruct_its_inputs() -> None:
    given = [{"input_ids": row, "labels": list(row)} for row in runs.rows(4)]
    model = runs.model()
    model.config.is_encoder_decoder = True
    collate = DataCollatorForMasking(tokenizers.bert(), "static", rate=0.5, model=model)
    with warnings.catch_warnings():
        warnings.simplefilter("error", MaskplugWarning)
        collate(given)
