"""The masks that fairseq's own models receive, in both of their ways to attend."""

from __future__ import annotations

from argparse import Namespace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from fairseq.data import Dictionary
from fairseq.models.transformer import TransformerModel, base_architecture

from maskplug_hf.attention import received


def model() -> Any:
    words = Dictionary()
    for word in "abcdefgh":
        words.add_symbol(word)
    size = {"layers": 2, "attention_heads": 2, "embed_dim": 16, "ffn_embed_dim": 16}
    sides = ("encoder", "decoder")
    args = Namespace(**{f"{side}_{name}": size[name] for side in sides for name in size})
    base_architecture(args)
    task = SimpleNamespace(source_dictionary=words, target_dictionary=words)
    torch.manual_seed(0)
    return TransformerModel.build_model(args, task).eval()


@pytest.mark.parametrize("training", [False, True])
def test_a_translation_model(training: bool) -> None:
    source = torch.tensor([[5, 6, 7, 2], [1, 1, 5, 2]])  # padded on the left, as fairseq does
    batch = {
        "src_tokens": source,
        "src_lengths": torch.tensor([4, 2]),
        "prev_output_tokens": torch.tensor([[2, 8, 9], [2, 8, 9]]),
    }
    seen = received(model().train(training), **batch)
    decoder = [("decoder", 0), ("cross", 0), ("decoder", 1), ("cross", 1)]
    assert [(one.attention_kind, one.layer_idx) for one in seen] == [
        ("encoder", 0),
        ("encoder", 1),
        *decoder,
    ]
    shown = (source != 1)[:, None, None].numpy()
    asked = {"encoder": shown, "cross": shown, "decoder": np.tri(3, dtype=bool)}
    for one in seen:
        assert (one.mask == asked[one.attention_kind]).all()
        assert one.mask.shape == (
            2,
            1,
            4 if one.attention_kind == "encoder" else 3,
            len(one.mask[0, 0, 0]),
        )
