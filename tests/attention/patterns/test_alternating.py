"""alternating: patterns of network layers, as in ModernBERT and Gemma."""

from __future__ import annotations

from typing import Any

import pytest

import maskplug
from maskplug.attention import Alternating, Causal, Full, Window

LOCAL = Window(left=2, right=2)


def matrix(pattern: maskplug.Pattern, **more: Any) -> Any:
    return pattern.dense(9, **more)[0, 0]


def local_layers(config: Any) -> list[bool]:
    return [kind == "sliding_attention" for kind in config.layer_types]


def test_layers_of_modernbert_and_gemma() -> None:
    transformers = pytest.importorskip("transformers")
    modernbert = Alternating((Full(), LOCAL, LOCAL))
    gemma = Alternating((LOCAL,) * 5 + (Causal(),))
    for pattern, config in (
        (modernbert, transformers.ModernBertConfig(num_hidden_layers=10)),
        (gemma, transformers.Gemma3TextConfig(num_hidden_layers=13)),
    ):
        expected = local_layers(config)
        assert True in expected
        assert False in expected
        local = matrix(LOCAL)
        ours = [bool((matrix(pattern, layer_idx=i) == local).all()) for i in range(len(expected))]
        assert ours == expected
