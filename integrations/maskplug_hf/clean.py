"""What a model finds hard in clean text: the column that ``self_evolution`` reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy
from transformers.utils.logging import tqdm

from maskplug.errors import OptionError
from maskplug.types import IntArray
from maskplug_hf.model import ModelFacts


def clean_losses(
    model: Any, tokenizer: Any, dataset: Sequence[Any], batch_size: int = 32
) -> list[NDArray[np.float32]]:
    """The loss of a masked language model on each token of clean text.

    The model reads all tokens and predicts each of them; what it cannot tell even so is hard. It is
    put into evaluation mode meanwhile, and runs where it is.

    Args:
        model: a model with a head for masked tokens.
        tokenizer: pads the rows.
        dataset: items with ``input_ids``, and ``attention_mask`` or ``token_type_ids`` if there
            are any; tokens that the attention mask hides have the loss 0.
        batch_size: rows a batch.

    Returns:
        One float32 array a row, as long as its ``input_ids``, in the dataset's order:
        ``dataset.add_column("losses", clean_losses(model, tokenizer, dataset))``.

    Raises:
        OptionError: when the model predicts the next token, or generates with a decoder.

    Source: stage 1 of Zhong et al., "Self-Evolution Learning for Discriminative Language Model
    Pretraining", 2023.
    """
    facts = ModelFacts.of(model)
    if facts.shifts or facts.decoder:
        raise OptionError(
            f"{facts.name} does not predict its inputs in place; the losses of clean text come "
            "from a model for masked tokens (BertForMaskedLM)"
        )
    if batch_size < 1:
        raise OptionError(f"batch_size is {batch_size}; it must be at least 1")
    was_training = model.training
    model.eval()
    losses: list[NDArray[np.float32]] = []
    try:
        for first in tqdm(range(0, len(dataset), batch_size), desc="losses of clean text"):
            rows = [dataset[i] for i in range(first, min(first + batch_size, len(dataset)))]
            losses += _of_batch(model, tokenizer, rows)
    finally:
        model.train(was_training)
    return losses


@torch.no_grad()
def _of_batch(model: Any, tokenizer: Any, rows: list[Any]) -> list[NDArray[np.float32]]:
    columns = ("input_ids", "attention_mask", "token_type_ids")
    kept = [{name: row[name] for name in columns if name in row} for row in rows]
    batch = tokenizer.pad(kept, return_tensors="pt").to(model.device)
    logits = model(**batch).logits.float()
    each = cross_entropy(logits.flatten(0, 1), batch["input_ids"].flatten(), reduction="none")
    table = each.view(batch["input_ids"].shape) * batch["attention_mask"]
    lengths = [len(row["input_ids"]) for row in rows]
    return [
        row[_places(length, len(row), tokenizer.padding_side)]
        for row, length in zip(table.cpu().numpy(), lengths, strict=True)
    ]


def _places(length: int, width: int, side: str) -> IntArray:
    """Where a row's own tokens stand in the padded batch."""
    first = width - length if side == "left" else 0
    return np.arange(first, first + length)
