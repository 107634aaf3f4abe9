"""clean_losses: the column that self_evolution reads, token by token what the model itself says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from maskplug import OptionError
from maskplug_hf import DataCollatorForMasking, attach, clean_losses
from support import feedback_runs as toy
from support import hf_runs as runs
from support import hf_tokenizers as tokenizers


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("batch", [1, 5, 64])
def test_losses_of_each_row_alone(side: str, batch: int) -> None:
    model, data = toy.model(), runs.dataset(12)
    model.train()
    losses = clean_losses(model, tokenizers.bert(padding_side=side), data, batch_size=batch)
    assert model.training
    assert all(parameter.grad is None for parameter in model.parameters())
    assert [len(row) for row in losses] == [len(row) for row in data["input_ids"]]
    model.eval()
    for row, got in zip(data["input_ids"], losses, strict=True):
        ids = torch.tensor([row])
        logits = model(input_ids=ids).logits[0]
        expected = torch.nn.functional.cross_entropy(logits, ids[0], reduction="none")
        if side == "right":  # on the left, padding moves BERT's positions
            assert np.allclose(got, expected.detach().numpy(), atol=1e-5)
        assert got.dtype == np.float32
        assert (got > 0).all()


def test_hidden_tokens_have_no_loss() -> None:
    rows = [{"input_ids": [2, 9, 8, 3], "attention_mask": [1, 1, 0, 1]}]
    (losses,) = clean_losses(toy.model(), tokenizers.bert(), rows)
    assert (losses > 0).tolist() == [True, True, False, True]


def test_self_evolution_masks_by_the_losses(tmp_path: Path) -> None:
    model, data = toy.model(), runs.dataset(16)
    losses = clean_losses(model, tokenizers.bert(), data)
    bar = float(np.median(np.concatenate(losses)))
    column: Any = [row.tolist() for row in losses]
    collate = DataCollatorForMasking(tokenizers.bert(), "self_evolution", bar=bar, seed=1)
    trainer = runs.trainer(tmp_path, collate, data.add_column("losses", column), num_train_epochs=1)
    attach(trainer)
    trainer.train()
    special = collate.vocabulary.special
    for one in trainer.trained:
        index = data["input_ids"].index(list(one.original))
        free = [not special[token] for token in one.original]
        hard = [loss > bar and ok for loss, ok in zip(column[index], free, strict=True)]
        if any(hard):
            assert [label != -100 for label in one.row[1]] == hard
            masked = [token == 4 for token in one.row[0]]
            assert masked == hard


def test_causal_and_encoder_decoder_models_are_refused() -> None:
    config = GPT2Config(vocab_size=120, n_embd=8, n_layer=1, n_head=1, n_positions=32)
    with pytest.raises(OptionError, match="GPT2LMHeadModel does not predict its inputs in place"):
        clean_losses(GPT2LMHeadModel(config), tokenizers.bert(), runs.dataset(1))
    with pytest.raises(OptionError, match="batch_size is 0"):
        clean_losses(toy.model(), tokenizers.bert(), runs.dataset(1), batch_size=0)
