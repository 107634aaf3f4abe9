"""The loss of each token of unmasked text: the column ``losses`` of ``self_evolution``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy
from transformers.utils.logging import tqdm

from maskplug.errors import OptionError
from maskplug_hf.model import model_info


def clean_losses(
    model: Any, tokenizer: Any, dataset: Sequence[Any], batch_size: int = 32
) -> list[NDArray[np.float32]]:
    """Return the loss of a masked language model on each token of unmasked text.

    The model reads all tokens and predicts each of them. It is set to evaluation mode meanwhile,
    and stays on its device.

    Args:
        model: a masked language model.
        tokenizer: pads the rows.
        dataset: items with ``input_ids``, and optionally ``attention_mask`` or ``token_type_ids``;
            tokens hidden by the attention mask have the loss 0.
        batch_size: rows per batch.

    Returns:
        One float32 array per row, as long as its ``input_ids``, in the dataset's order:
        ``dataset.add_column("losses", clean_losses(model, tokenizer, dataset))``.

    Raises:
        OptionError: when the model predicts the next token, or generates with a decoder.

    Source: stage 1 of Zhong et al., "Self-Evolution Learning for Discriminative Language Model
    Pretraining", 2023.
    """
    info = model_info(model)
    if info.predicts_next or info.has_decoder:
        raise OptionError(
            f"{info.name} does not predict its inputs in place; compute the losses of unmasked "
            "text with a masked language model (BertForMaskedLM)"
        )
    if batch_size < 1:
        raise OptionError(f"batch_size is {batch_size}; it must be at least 1")
    was_training = model.training
    model.eval()
    losses: list[NDArray[np.float32]] = []
    try:
        for first in tqdm(range(0, len(dataset), batch_size), desc="losses of unmasked text"):
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
    losses = cross_entropy(logits.flatten(0, 1), batch["input_ids"].flatten(), reduction="none")
    table = losses.view(batch["input_ids"].shape) * batch["attention_mask"]
    lengths = [len(row["input_ids"]) for row in rows]
    return [
        row[len(row) - length :] if tokenizer.padding_side == "left" else row[:length]
        for row, length in zip(table.cpu().numpy(), lengths, strict=True)
    ]
