"""The attention masks of fairseq's models, in both of its implementations."""

from __future__ import annotations

from argparse import Namespace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from fairseq.models.transformer import TransformerModel, base_architecture

from maskplug_hf.attention import received
from support.fairseq_data import dictionary


def build() -> Any:
    words = dictionary(*"abcdefgh")
    sizes = {"layers": 2, "attention_heads": 2, "embed_dim": 16, "ffn_embed_dim": 16}
    sides = ("encoder", "decoder")
    args = Namespace(**{f"{side}_{name}": sizes[name] for side in sides for name in sizes})
    base_architecture(args)
    task = SimpleNamespace(source_dictionary=words, target_dictionary=words)
    torch.manual_seed(0)
    return TransformerModel.build_model(args, task).eval()


@pytest.mark.parametrize("training", [False, True])
def test_masks_of_a_translation_model(training: bool) -> None:
    source = torch.tensor([[5, 6, 7, 2], [1, 1, 5, 2]])  # fairseq pads sources on the left
    batch = {
        "src_tokens": source,
        "src_lengths": torch.tensor([4, 2]),
        "prev_output_tokens": torch.tensor([[2, 8, 9], [2, 8, 9]]),
    }
    masks = received(build().train(training), **batch)
    decoder = [("decoder", 0), ("cross", 0), ("decoder", 1), ("cross", 1)]
    assert [(mask.attention_kind, mask.layer_idx) for mask in masks] == [
        ("encoder", 0),
        ("encoder", 1),
        *decoder,
    ]
    visible = (source != 1)[:, None, None].numpy()
    expected = {"encoder": visible, "cross": visible, "decoder": np.tri(3, dtype=bool)}
    for mask in masks:
        assert (mask.mask == expected[mask.attention_kind]).all()
        q_len, kv_len = (4 if mask.attention_kind == "encoder" else 3), len(mask.mask[0, 0, 0])
        assert mask.mask.shape == (2, 1, q_len, kv_len)
