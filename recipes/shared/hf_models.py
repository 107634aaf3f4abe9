"""Build the Hugging Face models, of the same sizes as those of fairseq."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from recipes.shared.plan import StageRun
from recipes.shared.settings import FEED_FORWARD, Model


def make(stage: StageRun, tokenizer: Any) -> Any:
    """Return the model at the start of a stage: a new one, or that of the previous stage."""
    size = stage.run.recipe.model
    if stage.start:
        return _loaded(stage.start / "best", stage)
    if size.family == "bert":
        return _bert(size, tokenizer, stage)
    return _marian(size, tokenizer) if size.family == "marian" else _bart(size, tokenizer)


def load(folder: Path, stage: StageRun) -> Any:
    """Return the model that a stage saved."""
    return _loaded(folder, stage).eval()


def _loaded(folder: Path, stage: StageRun) -> Any:
    from transformers import AutoModelForMaskedLM, AutoModelForSeq2SeqLM
    from transformers import AutoModelForSequenceClassification as Classifier

    if stage.stage.task == "classification":
        labels = stage.run.work.facts()["labels"]
        return Classifier.from_pretrained(str(folder), num_labels=len(labels))
    kind = AutoModelForMaskedLM if stage.stage.task == "masked_lm" else AutoModelForSeq2SeqLM
    return kind.from_pretrained(str(folder))


def _special(tokenizer: Any) -> dict[str, Any]:
    return {
        "vocab_size": len(tokenizer),
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
    }


def _ids(tokenizer: Any, first: int) -> dict[str, Any]:
    return {
        **_special(tokenizer),
        "decoder_start_token_id": first,
        "forced_eos_token_id": None,
        "forced_bos_token_id": None,
    }


def _seq2seq(size: Model) -> dict[str, Any]:
    return {
        "d_model": size.width,
        "encoder_layers": size.layers,
        "encoder_ffn_dim": size.feed_forward,
        "encoder_attention_heads": size.heads,
        "decoder_layers": size.decoder_layers,
        "decoder_ffn_dim": size.feed_forward,
        "decoder_attention_heads": size.heads,
        "dropout": size.dropout,
        "max_position_embeddings": 1024,
        "init_std": size.width**-0.5,  # the usual 0.02 suits wide models
    }


def _initialized(model: Any) -> Any:
    """Initialize the feed-forward layers like PyTorch, by their number of inputs.

    Transformers initializes all layers alike; the feed-forward layers then dominate, and a narrow
    model needs 800 updates to learn what it otherwise learns in 400.
    """
    from torch.nn import init

    for name, module in model.named_modules():
        if name.endswith(FEED_FORWARD):
            init.kaiming_uniform_(module.weight, a=5**0.5)
    return model


def _marian(size: Model, tokenizer: Any) -> Any:
    from transformers import MarianConfig, MarianMTModel

    ids = _ids(tokenizer, first=tokenizer.pad_token_id)
    return _initialized(MarianMTModel(MarianConfig(**_seq2seq(size), scale_embedding=True, **ids)))


def _bart(size: Model, tokenizer: Any) -> Any:
    from transformers import BartConfig, BartForConditionalGeneration

    ids = _ids(tokenizer, first=tokenizer.eos_token_id)  # as in fairseq
    return _initialized(BartForConditionalGeneration(BartConfig(**_seq2seq(size), **ids)))


def _bert(size: Model, tokenizer: Any, stage: StageRun) -> Any:
    """Return a ModernBERT of the size of fairseq's RoBERTa, with logits of masked tokens only."""
    from transformers import (
        ModernBertConfig,
        ModernBertForMaskedLM,
        ModernBertForSequenceClassification,
    )

    labels: dict[str, Any] = {"num_labels": len(stage.run.work.facts()["labels"])}
    config = ModernBertConfig(
        **_special(tokenizer),
        cls_token_id=tokenizer.bos_token_id,
        sep_token_id=tokenizer.eos_token_id,
        hidden_size=size.width,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        intermediate_size=size.feed_forward,
        embedding_dropout=size.dropout,
        mlp_dropout=size.dropout,
        attention_dropout=size.dropout,
        classifier_dropout=size.dropout,
        max_position_embeddings=512,
        initializer_range=size.width**-0.5,
        sparse_prediction=True,
        **labels,
    )
    masked = stage.stage.task == "masked_lm"
    return (ModernBertForMaskedLM if masked else ModernBertForSequenceClassification)(config)
